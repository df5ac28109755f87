/** Records of our own making. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nodeId } from '../../src/base/identifiers.js';
import { nodeIdOf } from '../../src/identity/node_id.js';
import { SodiumSignatures } from '../../src/io/sodium_signatures.js';
import { Scribe, signerOf } from '../../src/mesh/scribe.js';
import { NO_KEY, recordMessage, recordSignature } from '../../src/wire/record.js';

const test = suite('mesh/scribe');

const suiteOf = new SodiumSignatures();
const NETWORK = nodeId('0102030405060708');
const signer = signerOf(suiteOf, new Uint8Array(32).fill(7));

test('scribe: a signer is called by the id of its public key', () => {
  assert.equal(signer.publicKey, suiteOf.publicKeyOf(new Uint8Array(32).fill(7)));
  assert.is(signer.id, nodeIdOf(signer.publicKey));
});

test('scribe: what it signs is its author’s, of this network and no other', () => {
  const draft = { kind: 'node', key: NO_KEY, version: 3, body: Uint8Array.of(1) } as const;
  const record = new Scribe(suiteOf, NETWORK).sign(draft, signer);
  const { kind, key, version, body, author } = record;
  assert.equal({ kind, key, version, body }, draft);
  assert.is(author, signer.id);
  const isBy = (network: typeof NETWORK): boolean =>
    suiteOf.verify(signer.publicKey, recordMessage(record, network), recordSignature(record));
  assert.ok(isBy(NETWORK));
  assert.not(isBy(nodeId('0102030405060709')));
});

test.run();
