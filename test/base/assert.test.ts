/** Invariants throw, and nothing else. */

import { suite } from 'uvu';
import * as check from 'uvu/assert';
import { assert, InvariantError, present, unreachable } from '../../src/base/assert.js';

const test = suite('assert');

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}

test('assert: a condition that holds passes', () => {
  check.is(
    thrownBy(() => assert(true, 'truth')),
    undefined,
  );
});

test('assert: a broken invariant says which', () => {
  const error = thrownBy(() => assert(false, 'now never goes back'));
  check.instance(error, InvariantError);
  check.equal(String(error), 'InvariantError: Invariant broken: now never goes back');
});

test('assert: present takes every value but undefined', () => {
  for (const value of [0, '', false, null]) check.is(present(value, 'a value'), value);
  check.instance(
    thrownBy(() => present(undefined, 'a value')),
    InvariantError,
  );
});

test('assert: unreachable names what got there', () => {
  // What the compiler forbids may still come over a border that has no types.
  const error = thrownBy(() => Reflect.apply(unreachable, undefined, [{ kind: 'stray' }]));
  check.match(String(error), /no such kind \{"kind":"stray"\}$/);
});

test.run();
