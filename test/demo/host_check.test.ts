import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type HostFacts, judgeHost } from '../../src/demo/host_check.js';

const FIT: HostFacts = {
  isRoot: true,
  hasTun: true,
  hasIp: true,
  hasPython: true,
  capabilities: '000001ffffffffff',
};

/** What is wrong with the host, and what the answer must name. */
const ROWS: readonly [Partial<HostFacts>, readonly RegExp[]][] = [
  [{}, []],
  [{ isRoot: false, capabilities: '0' }, [/sudo/]],
  [{ hasTun: false }, [/\/dev\/net\/tun: modprobe tun/]],
  [{ hasIp: false }, [/apt-get install -y iproute2/]],
  [{ hasPython: false }, [/apt-get install -y python3/]],
  [{ capabilities: 'a80425fb' }, [/CAP_NET_ADMIN/, /CAP_SYS_ADMIN/]],
  [{ hasTun: false, hasIp: false }, [/tun/, /iproute2/]],
];

const test = suite('host check');

test('host check: names everything that is missing, with its remedy', () => {
  for (const [facts, expected] of ROWS) {
    const found = judgeHost({ ...FIT, ...facts });
    assert.is(found.length, expected.length, found.join('\n'));
    for (const [i, pattern] of expected.entries()) assert.match(found[i] ?? '', pattern);
  }
});

test.run();
