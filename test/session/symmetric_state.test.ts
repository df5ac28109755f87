import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { present } from '../../src/base/assert.js';
import { SodiumSuite } from '../../src/io/sodium.js';
import { SymmetricState } from '../../src/session/symmetric_state.js';
import { equalBytes, flipBit } from '../support/bytes.js';
import { hex, readSharedVectors } from '../support/vectors.js';

const test = suite('symmetric_state');
const CRYPTO = new SodiumSuite();
const EMPTY = new Uint8Array(0);
const KEY_BYTES = 32;
const TAG_BYTES = 16;

interface Vector {
  readonly protocol_name: string;
  readonly init_prologue: string;
  readonly init_psks?: readonly string[];
  readonly init_static: string;
  readonly init_ephemeral: string;
  readonly resp_static: string;
  readonly resp_ephemeral: string;
  readonly handshake_hash: string;
  readonly messages: readonly { readonly payload: string; readonly ciphertext: string }[];
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function vector(name: string): Vector {
  const all: { vectors: Vector[] } = JSON.parse(readSharedVectors('noise_ik.json'));
  const found = all.vectors.find(({ protocol_name }) => protocol_name === name);
  return present(found, `the vector of ${name} is there`);
}

/** One party of Noise_IK or Noise_IKpsk2, token by token, with the vector's keys. */
class Party {
  readonly state: SymmetricState;
  readonly #psk: Uint8Array | undefined;
  readonly #static: Uint8Array;
  readonly #ephemeral: Uint8Array;
  #theirStatic: Uint8Array;
  #theirEphemeral = EMPTY;

  constructor(vector: Vector, isInitiator: boolean) {
    this.state = SymmetricState.named(ascii(vector.protocol_name.padEnd(KEY_BYTES, '\0')));
    this.#psk = vector.init_psks?.[0] === undefined ? undefined : hex(vector.init_psks[0]);
    this.#static = hex(isInitiator ? vector.init_static : vector.resp_static);
    this.#ephemeral = hex(isInitiator ? vector.init_ephemeral : vector.resp_ephemeral);
    const responder = CRYPTO.publicKey(hex(vector.resp_static));
    this.#theirStatic = isInitiator ? responder : EMPTY;
    this.state.mixHash(hex(vector.init_prologue));
    this.state.mixHash(responder);
  }

  writeFirst(payload: Uint8Array): Uint8Array {
    const ephemeral = this.#sendEphemeral();
    this.#mix(this.#ephemeral, this.#theirStatic);
    const sealedStatic = this.state.encryptAndHash(CRYPTO, CRYPTO.publicKey(this.#static));
    this.#mix(this.#static, this.#theirStatic);
    return join(ephemeral, sealedStatic, this.state.encryptAndHash(CRYPTO, payload));
  }

  readFirst(message: Uint8Array): Uint8Array | undefined {
    this.#receiveEphemeral(message);
    this.#mix(this.#static, this.#theirEphemeral);
    const end = KEY_BYTES + KEY_BYTES + TAG_BYTES;
    const theirStatic = this.state.decryptAndHash(CRYPTO, message.subarray(KEY_BYTES, end));
    if (!theirStatic) return undefined;
    this.#theirStatic = theirStatic;
    this.#mix(this.#static, this.#theirStatic);
    return this.state.decryptAndHash(CRYPTO, message.subarray(end));
  }

  writeSecond(payload: Uint8Array): Uint8Array {
    const ephemeral = this.#sendEphemeral();
    this.#mix(this.#ephemeral, this.#theirEphemeral);
    this.#mix(this.#ephemeral, this.#theirStatic);
    if (this.#psk) this.state.mixKeyAndHash(this.#psk);
    return join(ephemeral, this.state.encryptAndHash(CRYPTO, payload));
  }

  readSecond(message: Uint8Array): Uint8Array | undefined {
    this.#receiveEphemeral(message);
    this.#mix(this.#ephemeral, this.#theirEphemeral);
    this.#mix(this.#static, this.#theirEphemeral);
    if (this.#psk) this.state.mixKeyAndHash(this.#psk);
    return this.state.decryptAndHash(CRYPTO, message.subarray(KEY_BYTES));
  }

  #sendEphemeral(): Uint8Array {
    const ephemeral = CRYPTO.publicKey(this.#ephemeral);
    this.#mixEphemeral(ephemeral);
    return ephemeral;
  }

  #receiveEphemeral(message: Uint8Array): void {
    this.#theirEphemeral = message.slice(0, KEY_BYTES);
    this.#mixEphemeral(this.#theirEphemeral);
  }

  /** Only handshakes with a preshared key mix ephemeral keys into the chain (Noise §9.2). */
  #mixEphemeral(ephemeral: Uint8Array): void {
    this.state.mixHash(ephemeral);
    if (this.#psk) this.state.mixKey(ephemeral);
  }

  #mix(ours: Uint8Array, theirs: Uint8Array): void {
    const secret = CRYPTO.dh(ours, theirs);
    this.state.mixKey(secret ?? new Uint8Array(KEY_BYTES));
  }
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function messageOf(vector: Vector, at: number): { payload: Uint8Array; ciphertext: Uint8Array } {
  const message = present(vector.messages[at], `the vector has message ${at}`);
  return { payload: hex(message.payload), ciphertext: hex(message.ciphertext) };
}

for (const name of ['Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s', 'Noise_IK_25519_ChaChaPoly_BLAKE2s']) {
  test(`symmetric state: reproduces all six messages and the hash of ${name}`, () => {
    const given = vector(name);
    assert.is(given.messages.length, 6);
    const initiator = new Party(given, true);
    const responder = new Party(given, false);
    const [first, second] = [messageOf(given, 0), messageOf(given, 1)];
    equalBytes(initiator.writeFirst(first.payload), first.ciphertext, 'message 1');
    equalBytes(responder.readFirst(first.ciphertext), first.payload, 'payload 1');
    equalBytes(responder.writeSecond(second.payload), second.ciphertext, 'message 2');
    equalBytes(initiator.readSecond(second.ciphertext), second.payload, 'payload 2');
    equalBytes(initiator.state.transcript(), hex(given.handshake_hash), 'initiator hash');
    equalBytes(responder.state.transcript(), hex(given.handshake_hash), 'responder hash');
    const keys = initiator.state.split();
    for (let at = 2; at < 6; at++) {
      const { payload, ciphertext } = messageOf(given, at);
      const key = at % 2 === 0 ? keys.initiatorKey : keys.responderKey;
      const counter = BigInt(Math.floor((at - 2) / 2));
      equalBytes(CRYPTO.seal(key, counter, payload, EMPTY), ciphertext, `message ${at + 1}`);
    }
  });
}

test('symmetric state: refuses any flipped bit of either handshake message', () => {
  const given = vector('Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s');
  const [first, second] = [messageOf(given, 0).ciphertext, messageOf(given, 1).ciphertext];
  // X25519 ignores the top bit of a coordinate, but the transcript does not.
  for (let bit = 0; bit < 8 * first.length; bit++) {
    const payload = new Party(given, false).readFirst(flipBit(first, bit));
    assert.is(payload, undefined, `message 1, bit ${bit}`);
  }
  const initiator = new Party(given, true);
  initiator.writeFirst(messageOf(given, 0).payload);
  const waiting = initiator.state.clone();
  equalBytes(waiting.transcript(), initiator.state.transcript(), 'a clone is equal');
  for (let bit = 0; bit < 8 * second.length; bit++) {
    const fresh = new Party(given, true);
    fresh.writeFirst(messageOf(given, 0).payload);
    assert.is(fresh.readSecond(flipBit(second, bit)), undefined, `message 2, bit ${bit}`);
  }
});

test('symmetric state: a key seals once, and a clone goes its own way', () => {
  const state = SymmetricState.named(ascii('A protocol name of more than 32 bytes'));
  state.mixKey(new Uint8Array(KEY_BYTES).fill(1));
  const copy = state.clone();
  const sealed = state.encryptAndHash(CRYPTO, EMPTY);
  assert.throws(() => state.encryptAndHash(CRYPTO, EMPTY), /one field/);
  equalBytes(copy.decryptAndHash(CRYPTO, sealed), EMPTY);
  equalBytes(copy.transcript(), state.transcript());
});

test('symmetric state: wiping leaves nothing', () => {
  const state = SymmetricState.named(ascii('A protocol name of more than 32 bytes'));
  state.mixKey(new Uint8Array(KEY_BYTES).fill(1));
  state.wipe();
  equalBytes(state.transcript(), new Uint8Array(KEY_BYTES));
  assert.throws(() => state.encryptAndHash(CRYPTO, EMPTY), /one field/);
});

test.run();
