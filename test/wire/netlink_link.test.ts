import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { emitMessage, HEADER_BYTES, TYPE } from '../../src/wire/netlink.js';
import { emitLink, LINK_FIXED, type LinkSettings, parseLink } from '../../src/wire/netlink_link.js';

const test = suite('netlink link');

/** The body of a message that sets this, as the kernel would tell of it. */
function bodyOf(settings: LinkSettings): Uint8Array {
  const { fixed, attributes } = emitLink(7, settings);
  const name = { type: 3, value: new TextEncoder().encode('heddle0\0') };
  const message = emitMessage({ type: TYPE.newLink, flags: 0 }, fixed, [name, ...attributes]);
  return message.slice(HEADER_BYTES);
}

const NOTHING = {
  index: 7,
  name: 'heddle0',
  mtu: 0,
  isUp: false,
  hasCarrier: false,
  transmitQueueLength: 0,
  gsoMaxSegments: 0,
  gsoMaxBytes: 0,
};

test('link: what was emitted is parsed, each setting for itself', () => {
  const rows: readonly LinkSettings[] = [
    {},
    { mtu: 1420 },
    { isUp: true },
    { transmitQueueLength: 1000 },
    { gsoMaxSegments: 45, gsoMaxBytes: 63_900 },
  ];
  for (const row of rows) assert.equal(parseLink(bodyOf(row)), { ...NOTHING, ...row });
});

test('link: only a state that is given is changed', () => {
  const flags = (settings: LinkSettings): number[] => [...emitLink(7, settings).fixed.slice(8)];
  assert.equal(flags({ mtu: 1420 }), [0, 0, 0, 0, 0, 0, 0, 0]);
  assert.equal(flags({ isUp: true }), [1, 0, 0, 0, 1, 0, 0, 0]);
  assert.equal(flags({ isUp: false }), [0, 0, 0, 0, 1, 0, 0, 0]);
});

test('link: an attribute that is too short counts as none', () => {
  const { fixed } = emitLink(7);
  const short = { type: 4, value: Uint8Array.of(1, 2) };
  const message = emitMessage({ type: TYPE.newLink, flags: 0 }, fixed, [short]);
  assert.is(parseLink(message.slice(HEADER_BYTES)).mtu, 0);
  assert.is(fixed.length, LINK_FIXED);
});

test.run();
