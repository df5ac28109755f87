import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseEndpoint } from '../../src/base/address.js';
import { peerSlot } from '../../src/base/identifiers.js';
import { after, elapsed, type Instant, instant, NEVER, seconds } from '../../src/base/time.js';
import type { NodeAction } from '../../src/node/action.js';
import { EndpointNames } from '../../src/node/endpoint_names.js';

const test = suite('endpoint_names');
const START = instant(seconds(100));
const SLOT = peerSlot(3);
const PLACE = { host: 'peer.example', port: 51820 };
const FOUND = parseEndpoint('192.0.2.7:51820');

function requests(names: EndpointNames): number[] {
  const out: NodeAction[] = [];
  names.drain(out);
  return out.map((action) => (action.kind === 'resolve' ? action.request : -1));
}

test('endpoint names: a name is asked for when it is set', () => {
  const names = new EndpointNames();
  names.set(SLOT, PLACE, START);
  const out: NodeAction[] = [];
  names.drain(out);
  assert.equal(out, [{ kind: 'resolve', request: 1, ...PLACE }]);
  assert.is(names.answered(1, FOUND, START), SLOT);
  assert.is(names.deadline(), NEVER);
});

test('endpoint names: what does not resolve is asked again, with a gap that grows to 90 s', () => {
  const names = new EndpointNames();
  names.set(SLOT, PLACE, START);
  let now: Instant = START;
  const gaps: number[] = [];
  for (let i = 0; i < 8; i++) {
    const [request = -1] = requests(names);
    assert.is(names.answered(request, undefined, now), SLOT);
    gaps.push(elapsed(now, names.deadline()));
    now = names.deadline();
    names.advance(now);
  }
  assert.equal(gaps, [5, 10, 20, 40, 80, 90, 90, 90].map(seconds));
  const [request = -1] = requests(names);
  names.answered(request, FOUND, now);
  assert.is(names.deadline(), NEVER);
});

test('endpoint names: a handshake given up asks again, every 90 s at most', () => {
  const names = new EndpointNames();
  names.set(SLOT, PLACE, START);
  names.answered(requests(names)[0] ?? -1, FOUND, START);
  names.gaveUp(SLOT, after(START, seconds(60)));
  assert.equal(requests(names), []);
  assert.is(names.deadline(), after(START, seconds(90)));
  names.advance(after(START, seconds(90)));
  assert.equal(requests(names), [2]);
  names.answered(2, FOUND, after(START, seconds(91)));
  names.gaveUp(SLOT, after(START, seconds(300)));
  assert.equal(requests(names), [3]);
});

test("endpoint names: late, unknown and replaced answers are nobody's", () => {
  const names = new EndpointNames();
  names.set(SLOT, PLACE, START);
  names.set(SLOT, { host: 'other.example', port: 1 }, START);
  assert.equal(requests(names), [1, 2]);
  assert.is(names.answered(1, FOUND, START), undefined, 'replaced');
  assert.is(names.answered(9, FOUND, START), undefined, 'never asked');
  assert.is(names.answered(2, FOUND, START), SLOT);
  assert.is(names.answered(2, FOUND, START), undefined, 'answered already');
  names.set(SLOT, PLACE, START);
  names.remove(SLOT);
  assert.is(names.answered(3, FOUND, START), undefined, 'the peer is gone');
  names.gaveUp(SLOT, START);
  assert.is(names.deadline(), NEVER);
});

test.run();
