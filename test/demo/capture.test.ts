import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type CaptureReport, judgeCaptures } from '../../src/demo/capture.js';

const INNER: CaptureReport = {
  packets: 9,
  withMarker: 5,
  messages: { initiation: 0, response: 0, cookie: 0, data: 0 },
  arp: 0,
  other: 9,
  missed: 0,
  samples: [],
};
const OUTER: CaptureReport = {
  ...INNER,
  withMarker: 0,
  messages: { initiation: 1, response: 1, cookie: 0, data: 9 },
  other: 0,
};
const NO_DATA = { initiation: 1, response: 1, cookie: 0, data: 0 };

const test = suite('capture');

test('capture: text inside and only sealed messages outside are the proof', () => {
  assert.equal(judgeCaptures(INNER, OUTER), []);
});

test('capture: what did not look at the traffic proves nothing', () => {
  assert.match(judgeCaptures({ ...INNER, withMarker: 0 }, OUTER).join(), /never entered/);
  assert.match(judgeCaptures(INNER, { ...OUTER, messages: NO_DATA }).join(), /no data message/);
});

test('capture: one packet in clear is the end of the proof', () => {
  assert.match(judgeCaptures(INNER, { ...OUTER, withMarker: 1 }).join(), /1 packets .* show/);
  assert.match(judgeCaptures(INNER, { ...OUTER, other: 2 }).join(), /2 packets .* not WireGuard/);
});

test.run();
