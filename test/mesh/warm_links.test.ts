/** How long a session with a member needs no handshake. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nodeId } from '../../src/base/identifiers.js';
import { after, instant, NEVER, seconds } from '../../src/base/time.js';
import { WarmLinks } from '../../src/mesh/warm_links.js';

const test = suite('mesh/warm_links');
const START = instant(5_000_000);
const [A, B] = [nodeId('aaaaaaaaaaaaaaaa'), nodeId('bbbbbbbbbbbbbbbb')];

test('warm links: they end in the order they were made, 120 s later', () => {
  const links = new WarmLinks();
  assert.is(links.deadline(), NEVER);
  links.made(A, START);
  links.made(B, after(START, seconds(1)));
  assert.ok(links.isWarm(A));
  assert.is(links.deadline(), after(START, seconds(120)));
  assert.equal(links.takeEnded(after(START, seconds(119))), []);
  assert.equal(links.takeEnded(after(START, seconds(120))), [A]);
  assert.not(links.isWarm(A));
  assert.equal(links.takeEnded(after(START, seconds(200))), [B]);
});

test('warm links: a newer session makes the end of the older one void', () => {
  const links = new WarmLinks();
  links.made(A, START);
  links.made(B, after(START, seconds(10)));
  links.made(A, after(START, seconds(60)));
  assert.equal(links.takeEnded(after(START, seconds(125))), []);
  assert.equal(links.takeEnded(after(START, seconds(130))), [B]);
  links.forget(A);
  assert.is(links.deadline(), NEVER);
});

test.run();
