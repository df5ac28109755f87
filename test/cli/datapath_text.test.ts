/** The lines themselves are tested as a part of the screen, status_text.test.ts. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { statusDocument } from '../../src/api/status.js';
import { formatDatapath } from '../../src/cli/datapath_text.js';
import { statusSource } from '../support/status.js';

const test = suite('cli/datapath_text');

test('datapath: of a hand that tells nothing there is no line', () => {
  assert.equal(formatDatapath(statusDocument({ ...statusSource(), remarks: [] })), []);
});

test('datapath: a remark cannot write to the terminal', () => {
  const status = statusDocument({ ...statusSource(), remarks: ['\u001b[31mred'] });
  assert.not.match(formatDatapath(status).join(), '\u001b');
});

test.run();
