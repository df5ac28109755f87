import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { InvariantError } from '../../src/base/assert.js';
import { EXIT } from '../../src/cli/exit.js';
import { explainStartError } from '../../src/cli/start_error.js';
import { ConfigError } from '../../src/daemon/config_fault.js';
import { HostError } from '../../src/daemon/host_check.js';
import { LockHeldError } from '../../src/daemon/lock_file.js';
import { FileError } from '../../src/io/files.js';
import { HandError } from '../../src/io/hand.js';
import { NetlinkError } from '../../src/io/netlink.js';

const test = suite('cli/start_error');

const ROWS: readonly (readonly [unknown, number, RegExp])[] = [
  [new LockHeldError('/run/heddle/heddle.pid', 77), EXIT.failed, /process 77; stop it with/],
  [new ConfigError('f', [{ line: 1, column: 2, message: 'm' }]), EXIT.failed, /^f:1:2: m$/],
  [new ConfigError('f', [], new FileError('EACCES', 'm')), EXIT.notPermitted, /^$/],
  [new HostError('NO_TUN', 'm'), EXIT.failed, /^m$/],
  [new HostError('NOT_PERMITTED', 'm'), EXIT.notPermitted, /^m$/],
  [new HandError('EPERM', 'm'), EXIT.notPermitted, /^m$/],
  [new HandError('EBUSY', 'm'), EXIT.failed, /^m$/],
  [new NetlinkError('Add', 'EPERM'), EXIT.notPermitted, /^Add: EPERM; heddle needs/],
  [new FileError('EACCES', 'm'), EXIT.notPermitted, /^m$/],
  [new FileError('ENOSPC', 'm'), EXIT.failed, /^m$/],
];

for (const [error, exitCode, message] of ROWS) {
  test(`explain: ${String(error).split('\n')[0]} ends with ${exitCode}`, () => {
    const failure = explainStartError(error);
    assert.is(failure?.exitCode, exitCode);
    assert.match(failure?.message ?? '', message);
  });
}

test('explain: a defect is not explained away', () => {
  assert.is(explainStartError(new InvariantError('x')), undefined);
  assert.is(explainStartError('text'), undefined);
});

test.run();
