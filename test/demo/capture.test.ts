import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type CaptureReport, judgeCaptures } from '../../src/demo/capture.js';

const NONE: CaptureReport['messages'] = {
  initiation: 0,
  response: 0,
  cookie: 0,
  data: 0,
  heddleData: 0,
};
const INNER: CaptureReport = {
  packets: 9,
  withMarker: 5,
  messages: NONE,
  behindVxlan: 0,
  clear: 0,
  arp: 0,
  other: 9,
  missed: 0,
  samples: [],
};
const OUTER: CaptureReport = {
  ...INNER,
  withMarker: 0,
  messages: { ...NONE, initiation: 1, response: 1, data: 2, heddleData: 7 },
  other: 0,
};
const STOCK = { ...OUTER.messages, data: 9, heddleData: 0 };

const test = suite('capture');

const VXLAN_SEALED: CaptureReport = { ...OUTER, behindVxlan: 11 };
const NOT_SEALED: CaptureReport = {
  ...OUTER,
  withMarker: 7,
  messages: NONE,
  clear: 9,
};

test('capture: text inside and only sealed messages outside are the proof', () => {
  assert.equal(judgeCaptures(INNER, OUTER, 'wireguard'), []);
  assert.equal(judgeCaptures(INNER, VXLAN_SEALED, 'vxlan-sealed'), []);
});

test('capture: in the clear the text outside is the proof that it can be read', () => {
  for (const kind of ['vxlan', 'udp'] as const) {
    assert.equal(judgeCaptures(INNER, NOT_SEALED, kind), []);
    const hidden = { ...NOT_SEALED, withMarker: 0 };
    assert.match(judgeCaptures(INNER, hidden, kind).join(), /no packet .* shows the marker/);
    assert.match(judgeCaptures(INNER, OUTER, kind).join(), /11 messages .* sealed/);
  }
});

/** Reason, what was seen inside and outside, the doubt. */
const DOUBTS: readonly (readonly [string, CaptureReport, CaptureReport, RegExp])[] = [
  ['nothing inside', { ...INNER, withMarker: 0 }, OUTER, /never entered/],
  ["none of heddle's data", INNER, { ...OUTER, messages: STOCK }, /no data message/],
  ['one packet shows it', INNER, { ...OUTER, withMarker: 1 }, /1 packets .* show/],
  ['others', INNER, { ...OUTER, other: 2 }, /2 packets .* not the tunnel's/],
  ['some in the clear', INNER, { ...OUTER, clear: 3 }, /3 datagrams .* in the clear/],
  ['some behind VXLAN', INNER, { ...OUTER, behindVxlan: 4 }, /4 messages .* form than wireguard/],
];

for (const [reason, inner, outer, doubt] of DOUBTS) {
  test(`capture: proves nothing with ${reason}`, () => {
    assert.match(judgeCaptures(inner, outer, 'wireguard').join(), doubt);
  });
}

test('capture: one message that is not behind VXLAN ends the proof of vxlan-sealed', () => {
  const stray = { ...VXLAN_SEALED, behindVxlan: 10 };
  assert.match(
    judgeCaptures(INNER, stray, 'vxlan-sealed').join(),
    /1 messages are in another form/,
  );
});

test.run();
