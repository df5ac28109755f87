import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isGone, isWithoutIpv6, unlessWithoutIpv6 } from '../../src/io/host_errors.js';
import { NetlinkError } from '../../src/io/netlink.js';

const test = suite('io/host_errors');

function refused(code: string): NetlinkError {
  return new NetlinkError('Do it', code);
}

test('gone: what is not there any more, and nothing else', () => {
  for (const code of ['ENOENT', 'ESRCH', 'EADDRNOTAVAIL', 'ENODEV', 'ENXIO']) {
    assert.is(isGone(refused(code)), true, code);
  }
  for (const code of ['EPERM', 'EEXIST']) assert.is(isGone(refused(code)), false, code);
  assert.is(isGone(new Error('ENOENT')), false);
});

test('without IPv6: only a refusal of something that is IPv6', () => {
  for (const code of ['EACCES', 'EOPNOTSUPP', 'EAFNOSUPPORT']) {
    assert.is(isWithoutIpv6(refused(code), 6), true, code);
    assert.is(isWithoutIpv6(refused(code), 4), false, code);
  }
  assert.is(isWithoutIpv6(refused('EPERM'), 6), false);
  assert.is(isWithoutIpv6(new Error('EACCES'), 6), false);
});

test('without IPv6: no answer, while other errors go on', () => {
  const fail = (code: string) => (): number => {
    throw refused(code);
  };
  assert.is(
    unlessWithoutIpv6(6, () => 5),
    5,
  );
  assert.is(unlessWithoutIpv6(6, fail('EAFNOSUPPORT')), undefined);
  assert.throws(() => unlessWithoutIpv6(6, fail('EPERM')), /EPERM/);
  assert.throws(() => unlessWithoutIpv6(4, fail('EAFNOSUPPORT')), /EAFNOSUPPORT/);
});

test.run();
