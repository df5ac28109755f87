import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HandError } from '../../src/io/hand.js';

const hand = suite('hand');

hand('hand: an error has a code for programs and a message for people', () => {
  const error = new HandError('EBUSY', 'Open the TUN interface "heddle0": EBUSY');
  assert.instance(error, Error);
  assert.is(error.name, 'HandError');
  assert.is(error.code, 'EBUSY');
  assert.is(String(error), 'HandError: Open the TUN interface "heddle0": EBUSY');
});

hand.run();
