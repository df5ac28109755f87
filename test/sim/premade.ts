/**
 * A network that was formed long ago: keys, certificates and node records of all its hosts, as they
 * lie on their disks. The first host holds the root key and the admin key.
 */

import { parsePrefix } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import type { SeededRandom } from '../../src/base/random.js';
import { seconds, wallTime } from '../../src/base/time.js';
import type { SignatureSuite } from '../../src/crypto/signature.js';
import type { CryptoSuite } from '../../src/crypto/suite.js';
import { emitCertificate } from '../../src/identity/certificate.js';
import { emitDelegation } from '../../src/identity/delegation.js';
import { emitNetwork } from '../../src/identity/network.js';
import { emitLease } from '../../src/ipam/lease_body.js';
import { LEASE_KEYS } from '../../src/ipam/ipam.js';
import { emitKeys } from '../../src/mesh/keys.js';
import { emitMembersFile } from '../../src/mesh/members_file.js';
import { emitOwnState } from '../../src/mesh/own_state.js';
import { Scribe, type Signer, signerOf } from '../../src/mesh/scribe.js';
import { emitNodeRecord } from '../../src/wire/node_record.js';
import { NO_KEY, type RecordKind, type SignedRecord } from '../../src/wire/record.js';
import { type SimHost, WALL_START } from './sim_host.js';

const DAY = seconds(86_400);
/** So many hosts are few for half of 256 addresses, and not too few to collide. */
const SMALL = 16;
/** 1 to 254. */
const LAST_BYTES = 254;
/** When its certificates were signed. */
const SIGNED_AT = wallTime(WALL_START - DAY);

export interface PremadeParts {
  readonly suite: SignatureSuite;
  readonly crypto: CryptoSuite;
  readonly random: SeededRandom;
}

interface HostKeys {
  readonly identity: Signer;
  readonly staticKey: Uint8Array;
}

/** Puts the files of every host in place. */
export function premake(hosts: readonly SimHost[], { suite, crypto, random }: PremadeParts): void {
  const signer = (): Signer => signerOf(suite, random.bytes(32));
  const [root, admin] = [signer(), signer()];
  const scribe = new Scribe(suite, root.id);
  const keys = hosts.map((): HostKeys => ({ identity: signer(), staticKey: random.bytes(32) }));
  const first = present(keys[0], 'there is a host').identity;
  const sign = (kind: RecordKind, key: string, body: Uint8Array, by: Signer): SignedRecord =>
    scribe.sign({ kind, key, body, version: SIGNED_AT }, by);
  const chain = [
    sign('delegation', admin.id, delegationOf(admin, first), root),
    sign('network', NO_KEY, networkBody(hosts.length), root),
  ];
  const certificates = keys.map(({ identity }, i) =>
    sign('certificate', identity.id, certificateOf(identity, `n${i}`), admin),
  );
  const nodes = keys.map(({ identity, staticKey }, i) => {
    const body = nodeBody(crypto.publicKey(staticKey), present(hosts[i], 'a host'));
    return scribe.sign({ kind: 'node', key: NO_KEY, body, version: 1 }, identity);
  });
  const leases = keys.map(({ identity }, i) =>
    hosts.length <= SMALL ? [] : [sign('lease', LEASE_KEYS.address, leaseBody(i), identity)],
  );
  const all = [...chain, ...certificates, ...nodes, ...leases.flat()].map(({ bytes }) => bytes);
  const members = emitMembersFile(all);
  for (const [i, host] of hosts.entries()) {
    const { identity, staticKey } = present(keys[i], 'its keys');
    const isFirst = i === 0;
    const seeds = {
      admin: isFirst ? admin.seed : undefined,
      root: isFirst ? root.seed : undefined,
    };
    const own = [...chain, present(certificates[i], 'its certificate'), ...(leases[i] ?? [])];
    const state = {
      network: { id: root.id, rootKey: root.publicKey },
      ceiling: 1,
      stamp: SIGNED_AT,
      records: own.map(({ bytes }) => bytes),
      redeemed: [],
    };
    const kept = { identity: identity.seed, staticKey, nextStaticKey: undefined, ...seeds };
    host.disk.files.set('keys', emitKeys(kept));
    host.disk.files.set('own', emitOwnState(state));
    host.disk.files.set('members', members);
  }
}

function delegationOf(admin: Signer, holder: Signer): Uint8Array {
  const notAfter = wallTime(SIGNED_AT + 360 * DAY);
  return emitDelegation({ adminKey: admin.publicKey, holder: holder.id, notAfter, epoch: 1 });
}

/** Small meshes have a small pool, and their hosts claim addresses, so that these do collide. */
function networkBody(count: number): Uint8Array {
  const text = count <= SMALL ? '10.128.0.0/24' : '10.128.0.0/9';
  const pool = present(parsePrefix(text), 'a prefix');
  return emitNetwork({ createdAt: SIGNED_AT, name: 'sim', pool });
}

/** One address after the other, from 10.128.1.1 on. */
function leaseBody(index: number): Uint8Array {
  const [high, low] = [1 + Math.floor(index / LAST_BYTES), 1 + (index % LAST_BYTES)];
  const text = `10.128.${high}.${low}/32`;
  const prefix = present(parsePrefix(text), 'a prefix');
  return emitLease({ kind: 'held', prefix, claimedAt: SIGNED_AT, reclaimed: [] });
}

function certificateOf({ publicKey }: Signer, name: string): Uint8Array {
  return emitCertificate({
    identityKey: publicKey,
    name,
    groups: [],
    prefixes: [],
    mayAnnounceDefault: false,
    notBefore: SIGNED_AT,
    notAfter: wallTime(SIGNED_AT + 90 * DAY),
    epoch: 1,
  });
}

function nodeBody(staticKey: Uint8Array, host: SimHost): Uint8Array {
  return emitNodeRecord({
    status: 'alive',
    instance: '00000000000000aa',
    startedAt: SIGNED_AT,
    staticKey,
    nextStaticKey: undefined,
    endpoints: [host.endpoint],
  });
}
