/** `heddle up --dry-run` in a network namespace: its plan, and that it changes nothing. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EXIT } from '../../../src/cli/exit.js';
import { ip, Lab, requireTools } from '../../support/netns.js';
import { HEDDLE } from '../../interop/tunnels.js';

const test = suite('cli/commands/up_dry_run');

const SECRET = 'yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=';
const PEER = 'xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=';
const FILE = `privateKey: ${SECRET}
addresses: [10.77.0.1/24]
peers:
  - name: beta
    publicKey: ${PEER}
    endpoint: 192.0.2.9:51820
    allowedIps: [10.78.0.0/16, 0.0.0.0/0]
`;

test('up --dry-run: prints links, addresses, routes, rules and peers, makes none', async () => {
  requireTools({ ip: 'iproute2' });
  const lab = new Lab();
  try {
    const host = lab.host('d');
    const file = join(lab.folder, 'heddle.yaml');
    writeFileSync(file, FILE, { mode: 0o600 });
    const settings = (): string =>
      [['link'], ['address'], ['rule'], ['route', 'show', 'table', 'all']]
        .map((words) => ip(host, ...words))
        .join('');
    const before = settings();
    const run = { HEDDLE_RUN_DIR: join(lab.folder, 'r'), HEDDLE_STATE_DIR: join(lab.folder, 's') };
    const env = { env: run };
    const planned = await host.run([HEDDLE, 'up', '--dry-run', '-c', file], env);
    assert.is(planned.code, EXIT.ok, planned.stderr);
    for (const line of [
      /^link +heddle0 type tun mtu 1420 up$/m,
      /^address +10\.77\.0\.1\/24 dev heddle0$/m,
      /^route +10\.78\.0\.0\/16 dev heddle0$/m,
      /^route +0\.0\.0\.0\/0 dev heddle0 table 51820$/m,
      /^rule +IPv4: not from all fwmark 0xca6c lookup 51820$/m,
      /^peer +beta xTIBA5.* at 192\.0\.2\.9:51820: 10\.78\.0\.0\/16, 0\.0\.0\.0\/0$/m,
    ]) {
      assert.match(planned.stdout, line);
    }
    assert.not.match(planned.stdout + planned.stderr, SECRET.slice(0, 20));
    assert.is(settings(), before);
    ip(host, 'link', 'add', 'heddle0', 'type', 'bridge');
    const taken = await host.run([HEDDLE, 'up', '-n', '-c', file], env);
    assert.is(taken.code, EXIT.failed);
    assert.match(taken.stderr, 'a start would fail: The interface "heddle0" exists already');
    writeFileSync(file, `${FILE}nonsense: 1\n`, { mode: 0o600 });
    const faulty = await host.run([HEDDLE, 'up', '-n', '-c', file], env);
    assert.is(faulty.code, EXIT.failed);
    assert.match(faulty.stderr, 'unknown key "nonsense"');
  } finally {
    lab.remove();
  }
});

test.run();
