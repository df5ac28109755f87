/** The fuzzers of the bodies of identity's records, and of the join line, from kept corpora. */

import { suite } from 'uvu';
import { concat } from '../../src/base/bytes.js';
import type { SeededRandom } from '../../src/base/random.js';
import { blake2s } from '../../src/crypto/blake2s.js';
import { emitCertificate, parseCertificate } from '../../src/identity/certificate.js';
import { emitDelegation, parseDelegation } from '../../src/identity/delegation.js';
import { emitInvitation, parseInvitation } from '../../src/identity/invitation.js';
import { emitJoinLine, JOIN_LINE_PREFIX, parseJoinLine } from '../../src/identity/join_line.js';
import { emitNetwork, parseNetwork } from '../../src/identity/network.js';
import { emitRevocation, parseRevocation } from '../../src/identity/revocation.js';
import { emitRootChange, parseRootChange } from '../../src/identity/root_change.js';
import { type Decoder, fuzz, replay } from '../support/control_fuzz.js';
import {
  certificateBody,
  delegationBody,
  invitationBody,
  networkBody,
  randomLine,
  revocationBody,
  rootChangeBody,
} from '../support/identity_samples.js';

const test = suite('fuzz/control_identity');

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const CHECKSUM_BYTES = 4;

function decoder<T>(
  name: string,
  make: (random: SeededRandom) => Uint8Array,
  codec: {
    readonly parse: (bytes: Uint8Array) => T | undefined;
    readonly emit: (value: T) => Uint8Array;
  },
): Decoder {
  const decode: Decoder['decode'] = (bytes) => {
    const value = codec.parse(bytes);
    return value && { again: codec.emit(value), text: 'taken' };
  };
  return { name: `control_${name}`, make, decode };
}

const DECODERS: readonly Decoder[] = [
  decoder('certificate', certificateBody, { parse: parseCertificate, emit: emitCertificate }),
  decoder('delegation', delegationBody, { parse: parseDelegation, emit: emitDelegation }),
  decoder('invitation', invitationBody, { parse: parseInvitation, emit: emitInvitation }),
  decoder('network', networkBody, { parse: parseNetwork, emit: emitNetwork }),
  decoder('revocation', revocationBody, { parse: parseRevocation, emit: emitRevocation }),
  decoder('root_change', rootChangeBody, { parse: parseRootChange, emit: emitRootChange }),
  /** What the line holds behind its prefix, damaged before the checksum is made. */
  decoder('join_line', (random) => contentOf(emitJoinLine(randomLine(random))), {
    parse: (content) => {
      const parsed = parseJoinLine(lineOf(content));
      return parsed.kind === 'line' ? parsed.line : undefined;
    },
    emit: (line) => contentOf(emitJoinLine(line)),
  }),
];

for (const each of DECODERS) {
  const title = each.name.replace('control_', '').replace('_', ' ');
  test(`${title}: what was kept comes out as before`, () => replay(each));
  test(`${title}: damaged bytes are refused whole, or taken as they are`, () => fuzz(each));
}

/** White space and capitals are allowed, so that only what is emitted has one spelling. */
const TEXT: Decoder = {
  name: 'control_join_text',
  make: (random) => new TextEncoder().encode(emitJoinLine(randomLine(random))),
  decode: (bytes) => {
    const parsed = parseJoinLine(String.fromCharCode(...bytes));
    if (parsed.kind !== 'line') return undefined;
    const line = emitJoinLine(parsed.line);
    const reparsed = parseJoinLine(line);
    const isSame = reparsed.kind === 'line' && emitJoinLine(reparsed.line) === line;
    return { again: isSame ? bytes : new TextEncoder().encode(line), text: 'taken' };
  },
};

test('join line: text that was kept comes out as before', () => replay(TEXT));

test('join line: text that is damaged is refused, or the same line', () => fuzz(TEXT));

function lineOf(content: Uint8Array): string {
  const bytes = concat(content, blake2s(content).subarray(0, CHECKSUM_BYTES));
  let bits = '';
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0');
  const groups = bits.padEnd(Math.ceil(bits.length / 5) * 5, '0').match(/.{5}/g) ?? [];
  return JOIN_LINE_PREFIX + groups.map((group) => ALPHABET[Number.parseInt(group, 2)]).join('');
}

function contentOf(line: string): Uint8Array {
  let bits = '';
  for (const letter of line.slice(JOIN_LINE_PREFIX.length)) {
    bits += ALPHABET.indexOf(letter).toString(2).padStart(5, '0');
  }
  const bytes = Uint8Array.from(bits.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
  return bytes.subarray(0, bytes.length - CHECKSUM_BYTES);
}

test.run();
