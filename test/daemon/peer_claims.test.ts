import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConfigDocument } from '../../src/daemon/config_document.js';
import { CONFIG_SCHEMA } from '../../src/daemon/config_schema.js';
import { FaultList } from '../../src/daemon/fault_list.js';
import { PeerClaims, prefixesOf } from '../../src/daemon/peer_claims.js';
import { prefix } from '../support/parsed.js';

const test = suite('daemon/peer_claims');
const TEXT = 'peers:\n  - name: a\n    allowedIps: [10.0.0.1/24, 10.0.0.2/24, fd00::1]\n';
const DOCUMENT = new ConfigDocument(new TextEncoder().encode(TEXT));

test('claims: what two peers want is a fault of the second, which names the first', () => {
  const faults = new FaultList(DOCUMENT);
  const claims = new PeerClaims(faults);
  claims.claim('has this key', 0, ['peers', 0], 'one');
  claims.claim('has this key', 1, ['peers', 1], 'another');
  claims.claim('has this key', 2, ['peers', 2], 'one');
  claims.prefix(prefix('10.0.0.0/8'), 0, ['peers', 0]);
  claims.prefix(prefix('10.0.0.0/9'), 1, ['peers', 1]);
  assert.equal(
    faults.list.map(({ message }) => message),
    ['peers[2]: peers[0] already has this key'],
  );
});

test('claims: a prefix that stands twice with one peer is one, where it stands first', () => {
  const [shape] = CONFIG_SCHEMA.parse(DOCUMENT.value).peers;
  assert.ok(shape);
  assert.equal(
    prefixesOf(shape, 0).map(({ prefix: { text }, path }) => [text, path.at(-1)]),
    [
      ['10.0.0.0/24', 0],
      ['fd00::1/128', 2],
    ],
  );
});

test.run();
