import { suite } from 'uvu';
import { emitRootChange, parseRootChange } from '../../src/identity/root_change.js';
import { rootChangeBody } from '../support/identity_samples.js';
import { checkBody } from '../support/record_body.js';

const test = suite('identity/root_change');

test('root change: random bodies come back, and parts of them are nothing', () => {
  checkBody('root change', { make: rootChangeBody, parse: parseRootChange, emit: emitRootChange });
});

test.run();
