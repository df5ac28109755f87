import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { wallTime } from '../../src/base/time.js';
import {
  CLOCK_SKEW,
  expiresSoon,
  isOver,
  isPremature,
  isValidAt,
  renewalDue,
  rescueDue,
} from '../../src/identity/validity.js';
import { later, NOW } from '../support/identity_scene.js';

const test = suite('identity/validity');
const VALIDITY = { notBefore: NOW, notAfter: later(90) };

test('validity: clocks may differ by five minutes at either end', () => {
  const at = (offset: number) => wallTime(NOW + offset);
  assert.not(isPremature(NOW, at(-CLOCK_SKEW)));
  assert.ok(isPremature(NOW, at(-CLOCK_SKEW - 1)));
  assert.not(isOver(NOW, at(CLOCK_SKEW)));
  assert.ok(isOver(NOW, at(CLOCK_SKEW + 1)));
  assert.ok(isValidAt(VALIDITY, later(45)));
  assert.not(isValidAt(VALIDITY, later(91)));
  assert.not(isValidAt(VALIDITY, later(-1)));
});

test('validity: who signed renews at a third, anybody else at two fifths', () => {
  assert.not(renewalDue(VALIDITY, later(29)));
  assert.ok(renewalDue(VALIDITY, later(30)));
  assert.not(rescueDue(VALIDITY, later(35)));
  assert.ok(rescueDue(VALIDITY, later(36)));
});

test('validity: people are told from thirty days before the end', () => {
  assert.not(expiresSoon(later(90), later(59)));
  assert.ok(expiresSoon(later(90), later(60)));
  assert.ok(expiresSoon(later(90), later(100)));
});

test.run();
