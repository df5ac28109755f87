import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { millis, seconds } from '../../src/base/time.js';
import * as constants from '../../src/session/constants.js';

const test = suite('constants');

test('constants: follow from one another as the paper says (WireGuard §6.1, §6.2, §6.3)', () => {
  const { REJECT_AFTER_TIME, KEEPALIVE_TIMEOUT, REKEY_TIMEOUT } = constants;
  assert.is(constants.ZERO_KEYS_AFTER_TIME, 3 * REJECT_AFTER_TIME);
  assert.is(constants.SILENCE_TIMEOUT, KEEPALIVE_TIMEOUT + REKEY_TIMEOUT);
  assert.is(
    constants.REKEY_AFTER_TIME_RECEIVING,
    REJECT_AFTER_TIME - KEEPALIVE_TIMEOUT - REKEY_TIMEOUT,
  );
  assert.is(constants.COOKIE_USE_TIME, constants.COOKIE_SECRET_MAX_AGE - seconds(5));
});

test('constants: have the values of the protocol', () => {
  assert.is(constants.REKEY_AFTER_TIME, seconds(120));
  assert.is(constants.REJECT_AFTER_TIME, seconds(180));
  assert.is(constants.REKEY_ATTEMPT_TIME, seconds(90));
  assert.is(constants.REKEY_TIMEOUT, seconds(5));
  assert.is(constants.REKEY_TIMEOUT_JITTER, millis(333));
  assert.is(constants.REKEY_AFTER_MESSAGES, 2n ** 60n);
  assert.is(constants.REJECT_AFTER_MESSAGES, 2n ** 64n - 2n ** 13n - 1n);
  assert.is(constants.AES_REKEY_AFTER_MESSAGES, 2n ** 30n);
  assert.is(constants.AES_REJECT_AFTER_MESSAGES, 2n ** 32n);
  assert.is(constants.AES_MOST_FAILED_TAGS, 2 ** 36);
  assert.is(constants.INITIATION_INTERVAL, millis(20));
});

test.run();
