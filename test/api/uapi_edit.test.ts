import { constants } from 'node:os';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ERRNO } from '../../src/api/uapi_edit.js';

const test = suite('api/uapi_edit');

test('errno: the numbers are those of this system', () => {
  const known = new Map(Object.entries(constants.errno));
  for (const [name, number] of Object.entries(ERRNO)) assert.is(known.get(name), number, name);
});

test.run();
