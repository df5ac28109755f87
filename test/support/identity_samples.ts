/** Random values of the formats of identity, for the tests of their decoders. */

import { addressFromBytes, type Prefix, prefixOf } from '../../src/base/address.js';
import type { SeededRandom } from '../../src/base/random.js';
import { wallTime } from '../../src/base/time.js';
import { emitCertificate } from '../../src/identity/certificate.js';
import { emitDelegation } from '../../src/identity/delegation.js';
import { emitInvitation } from '../../src/identity/invitation.js';
import type { JoinLine } from '../../src/identity/join_line.js';
import { nodeIdOf } from '../../src/identity/node_id.js';
import { emitNetwork } from '../../src/identity/network.js';
import { emitRevocation } from '../../src/identity/revocation.js';
import { emitRootChange } from '../../src/identity/root_change.js';
import { oneOf, randomEndpoint, randomId, randomName, randomU64 } from './control_samples.js';

export function randomPrefix(random: SeededRandom): Prefix {
  const family = random.below(2) === 0 ? 4 : 6;
  const bytes = random.bytes(family === 4 ? 4 : 16);
  if (family === 6) bytes[0] = 0xfd;
  const bits = family === 4 ? 32 : 128;
  return prefixOf(addressFromBytes(bytes, 0, family), 8 + random.below(bits - 7));
}

function several<T>(random: SeededRandom, limit: number, make: () => T): T[] {
  return Array.from({ length: oneOf(random, [0, 1, random.below(4), limit]) }, make);
}

export function certificateBody(random: SeededRandom): Uint8Array {
  const notBefore = random.u32();
  return emitCertificate({
    identityKey: random.bytes(32),
    name: randomName(random),
    groups: several(random, 4, () => randomName(random)),
    prefixes: several(random, 4, () => randomPrefix(random)),
    mayAnnounceDefault: random.below(2) === 0,
    notBefore: wallTime(notBefore),
    notAfter: wallTime(notBefore + 1 + random.u32()),
    epoch: randomU64(random),
  });
}

export function delegationBody(random: SeededRandom): Uint8Array {
  const [adminKey, holder] = [random.bytes(32), randomId(random)];
  const [notAfter, epoch] = [wallTime(randomU64(random)), randomU64(random)];
  return emitDelegation({ adminKey, holder, notAfter, epoch });
}

export function revocationBody(random: SeededRandom): Uint8Array {
  return emitRevocation({
    identityKey: random.bytes(32),
    staticKeys: several(random, 16, () => random.bytes(32)),
    keepUntil: wallTime(randomU64(random)),
    fate: oneOf(random, ['keep', 'void'] as const),
  });
}

export function invitationBody(random: SeededRandom): Uint8Array {
  return emitInvitation({
    publicKeys: Array.from({ length: 1 + random.below(16) }, () => random.bytes(32)),
    expires: wallTime(randomU64(random)),
    name: random.below(2) === 0 ? undefined : randomName(random),
    groups: several(random, 4, () => randomName(random)),
    prefixes: several(random, 4, () => randomPrefix(random)),
    isAdmin: random.below(2) === 0,
    isRevoked: random.below(2) === 0,
  });
}

export function networkBody(random: SeededRandom): Uint8Array {
  const pool = prefixOf(addressFromBytes(random.bytes(4), 0, 4), 8 + random.below(17));
  return emitNetwork({ createdAt: wallTime(randomU64(random)), name: randomName(random), pool });
}

export function rootChangeBody(random: SeededRandom): Uint8Array {
  return emitRootChange({ rootKey: random.bytes(32), epoch: randomU64(random) });
}

export function randomLine(random: SeededRandom): JoinLine {
  const introducer = (): JoinLine['introducers'][number] => ({
    publicKey: random.bytes(32),
    endpoint: randomEndpoint(random),
  });
  const rootKey = random.bytes(32);
  return {
    network: nodeIdOf(rootKey),
    rootKey,
    admin: randomId(random),
    introducers: Array.from({ length: 1 + random.below(3) }, introducer),
    invitation: randomId(random),
    seed: random.bytes(16),
    uses: 1 + random.below(16),
    expires: wallTime(random.u32() * 1e6),
  };
}
