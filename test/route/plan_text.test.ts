import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseInterfaceAddress, parsePrefix } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { planHost } from '../../src/route/host_plan.js';
import { describePlanSteps } from '../../src/route/plan_text.js';

const test = suite('route/plan_text');

test('plan: every kind of step reads as ip(8) would have it', () => {
  const plan = planHost({
    addresses: [present(parseInterfaceAddress('10.77.0.1/24'), 'an address')],
    mtu: 1420,
    messageOverhead: 32,
    table: 'auto',
    fwMark: 0,
    allowedIps: ['10.8.0.0/16', '0.0.0.0/0'].map((text) => present(parsePrefix(text), text)),
    freeTable: () => 51_820,
  });
  const lines = describePlanSteps(plan, 'hd0').map(({ what, text }) => `${what}: ${text}`);
  for (const line of [
    'link: hd0 type tun mtu 1420 up',
    'address: 10.77.0.1/24 dev hd0',
    'route: 10.8.0.0/16 dev hd0',
    'route: 0.0.0.0/0 dev hd0 table 51820',
    "rule: IPv4: from other interfaces' addresses: as without the tunnel",
    'rule: IPv4: not from all fwmark 0xca6c lookup 51820',
    'rule: IPv4: from all lookup main suppress_prefixlength 0',
    'sysctl: net.ipv4.conf.all.src_valid_mark = 1',
  ]) {
    assert.ok(lines.includes(line), `${line} is in\n${lines.join('\n')}`);
  }
});

test.run();
