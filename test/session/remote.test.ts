import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isZero } from '../../src/base/bytes.js';
import { type CryptoSuite, KEY_BYTES } from '../../src/crypto/suite.js';
import { Remote } from '../../src/session/remote.js';
import { equalBytes } from '../support/bytes.js';
import { LOW_ORDER_KEYS } from '../support/low_order.js';
import { createParty } from '../support/session_scene.js';

const test = suite('remote');

test('remote: the secret of both static keys is made once and kept', () => {
  const [left, right] = [createParty('left'), createParty('right')];
  let made = 0;
  const counting: CryptoSuite = Object.create(left.crypto, {
    dh: {
      value: (ours: Uint8Array, theirs: Uint8Array) => {
        made++;
        return left.crypto.dh(ours, theirs);
      },
    },
  });
  const remote = new Remote(right.keys.publicKey);
  const secret = remote.staticStatic(counting, left.keys);
  const same = right.crypto.dh(right.keys.privateKey, left.keys.publicKey);
  equalBytes(secret, same ?? new Uint8Array(0));
  remote.staticStatic(counting, left.keys);
  assert.is(made, 1);
  remote.forgetStaticStatic();
  assert.ok(secret && isZero(secret), 'it is wiped');
  remote.staticStatic(counting, left.keys);
  assert.is(made, 2);
});

test('remote: another key of the peer takes nothing over from the last', () => {
  const [left, right, later] = [createParty('left'), createParty('right'), createParty('later')];
  const remote = new Remote(right.keys.publicKey);
  const secret = remote.staticStatic(left.crypto, left.keys);
  const { cookie } = remote;
  remote.setPublicKey(right.keys.publicKey.slice());
  assert.is(remote.cookie, cookie, 'the same key changes nothing');
  remote.setPublicKey(later.keys.publicKey);
  assert.ok(secret && isZero(secret), 'the secret of the last is wiped');
  assert.is.not(remote.cookie, cookie);
  const same = later.crypto.dh(later.keys.privateKey, left.keys.publicKey);
  equalBytes(remote.staticStatic(left.crypto, left.keys), same ?? new Uint8Array(0));
});

test('remote: the secret is made anew with another key of ours', () => {
  const [left, right, other] = [createParty('left'), createParty('right'), createParty('other')];
  const remote = new Remote(right.keys.publicKey);
  remote.staticStatic(left.crypto, left.keys);
  const same = right.crypto.dh(right.keys.privateKey, other.keys.publicKey);
  equalBytes(remote.staticStatic(left.crypto, other.keys), same ?? new Uint8Array(0));
});

test('remote: a public key of low order has no secret, however often it is asked', () => {
  const left = createParty('left');
  for (const [name, key] of LOW_ORDER_KEYS) {
    const remote = new Remote(key);
    assert.is(remote.staticStatic(left.crypto, left.keys), undefined, name);
    assert.is(remote.staticStatic(left.crypto, left.keys), undefined, name);
  }
});

test('remote: no preshared key is 32 zero bytes; a set one is a copy', () => {
  const remote = new Remote(createParty('right').keys.publicKey);
  equalBytes(remote.presharedKey, new Uint8Array(KEY_BYTES));
  const key = new Uint8Array(KEY_BYTES).fill(5);
  remote.setPresharedKey(key);
  key.fill(6);
  equalBytes(remote.presharedKey, new Uint8Array(KEY_BYTES).fill(5));
  const kept = remote.presharedKey;
  remote.setPresharedKey(undefined);
  assert.ok(isZero(kept), 'the copy is wiped');
  equalBytes(remote.presharedKey, new Uint8Array(KEY_BYTES));
});

test.run();
