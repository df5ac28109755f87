/**
 * A UDP socket in a lab host that the test sends with and hears by, and an initiator of WireGuard
 * sessions made of nothing but the handshake's functions: what a peer, or somebody who pretends to
 * be one, can put on the wire.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { present } from '../../src/base/assert.js';
import { fromHex, toHex } from '../../src/base/bytes.js';
import { type SessionIndex, sessionIndex } from '../../src/base/identifiers.js';
import { wallTime } from '../../src/base/time.js';
import { parseKey } from '../../src/crypto/keys.js';
import { KEY_BYTES } from '../../src/crypto/suite.js';
import { tai64n } from '../../src/crypto/tai64n.js';
import { SystemRandom } from '../../src/io/entropy.js';
import { SodiumSuite } from '../../src/io/sodium.js';
import { computeMac1, mac1Key } from '../../src/session/cookie.js';
import {
  consumeResponse,
  createInitiation,
  type PendingHandshake,
  type SessionKeys,
} from '../../src/session/handshake.js';
import {
  emitData,
  emitInitiation,
  MESSAGE_DATA,
  senderOf,
  setMac1,
} from '../../src/wire/wireguard.js';
import { type LabHost, waitUntil } from '../support/netns.js';
import type { KeyPair } from './tunnels.js';

const PROGRAM = `
import socket, sys, threading
host, port, own = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
family = socket.AF_INET6 if ':' in host else socket.AF_INET
udp = socket.socket(family, socket.SOCK_DGRAM)
udp.bind(('', own))
def hear():
    while True: print(udp.recvfrom(65535)[0].hex(), flush=True)
threading.Thread(target=hear, daemon=True).start()
print('ready', flush=True)
for line in sys.stdin: udp.sendto(bytes.fromhex(line.strip()), (host, port))
`;

export interface Target {
  readonly address: string;
  readonly port: number;
}

export class Stranger {
  /** Every datagram that came back. */
  readonly heard: Uint8Array[] = [];
  readonly #child: ChildProcess;
  #isReady = false;

  /** Ends with the host's lab. */
  private constructor(host: LabHost, to: Target, ownPort: number) {
    const words = [to.address, String(to.port), String(ownPort)];
    const command = ['netns', 'exec', host.name, 'python3', '-c', PROGRAM, ...words];
    this.#child = spawn('ip', command, { stdio: ['pipe', 'pipe', 'inherit'] });
    let rest = '';
    this.#child.stdout?.on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#take(line);
    });
  }

  /** `ownPort` 0: the kernel chooses. */
  static async start(host: LabHost, to: Target, ownPort = 0): Promise<Stranger> {
    const stranger = new Stranger(host, to, ownPort);
    await waitUntil(`a socket is open in ${host.name}`, 5_000, () => stranger.#isReady);
    return stranger;
  }

  send(...datagrams: readonly Uint8Array[]): void {
    const lines = datagrams.map((datagram) => `${toHex(datagram)}\n`);
    this.#child.stdin?.write(lines.join(''));
  }

  #take(line: string): void {
    if (line === 'ready') this.#isReady = true;
    else this.heard.push(present(fromHex(line), 'the socket prints hexadecimal'));
  }
}

/** A session as its initiator holds it. */
export class StrangersSession {
  readonly #receiver: SessionIndex;
  readonly #keys: SessionKeys;
  #counter = 0n;

  constructor(receiver: SessionIndex, keys: SessionKeys) {
    this.#receiver = receiver;
    this.#keys = keys;
  }

  /** The next data message, around bytes that need not be a packet. */
  seal(plaintext: Uint8Array): Uint8Array {
    const counter = this.#counter++;
    const suite = new SodiumSuite();
    const sealed = suite.seal(this.#keys.sendKey, counter, plaintext, new Uint8Array(0));
    return emitData({ type: MESSAGE_DATA, receiver: this.#receiver, counter, sealed });
  }
}

export interface MadeInitiation {
  readonly datagram: Uint8Array;
  readonly handshake: PendingHandshake;
}

/** Makes initiations to one heddle with a key that it knows. */
export class Caller {
  readonly #suite = new SodiumSuite();
  readonly #random = new SystemRandom();
  readonly #ours: { readonly privateKey: Uint8Array; readonly publicKey: Uint8Array };
  readonly #theirs: Uint8Array;
  #stampedAt = Date.now() * 1_000;

  constructor(ours: KeyPair, theirPublicKey: string) {
    this.#ours = { privateKey: keyOf(ours.privateKey), publicKey: keyOf(ours.publicKey) };
    this.#theirs = keyOf(theirPublicKey);
  }

  /** Each with a later timestamp than the last. */
  initiation(): MadeInitiation {
    this.#stampedAt += 20_000;
    const staticStatic = this.#suite.dh(this.#ours.privateKey, this.#theirs);
    const made = createInitiation(this.#suite, {
      ours: this.#ours,
      theirPublicKey: this.#theirs,
      staticStatic: present(staticStatic, 'the keys are not of low order'),
      ephemeralPrivate: this.#random.bytes(KEY_BYTES),
      timestamp: tai64n(wallTime(this.#stampedAt)),
      sender: sessionIndex(this.#random.u32()),
    });
    const { datagram, handshake } = present(made, 'the keys are not of low order');
    setMac1(datagram, computeMac1(mac1Key(this.#theirs), datagram));
    return { datagram, handshake };
  }

  /** The session that a response makes. */
  consume({ handshake }: MadeInitiation, response: Uint8Array): StrangersSession {
    const keys = consumeResponse(this.#suite, handshake, {
      ours: this.#ours,
      presharedKey: new Uint8Array(KEY_BYTES),
      datagram: response,
    });
    if (typeof keys === 'string') throw new Error(`The response makes no session: ${keys}`);
    return new StrangersSession(senderOf(response), keys);
  }
}

/** An initiation of noise, but with the right first MAC: what anyone can make who knows the key. */
export function noiseInitiation(theirPublicKey: string): Uint8Array {
  const random = new SystemRandom();
  const datagram = emitInitiation({
    sender: sessionIndex(random.u32()),
    ephemeral: random.bytes(32),
    sealedStatic: random.bytes(48),
    sealedTimestamp: random.bytes(28),
  });
  setMac1(datagram, computeMac1(mac1Key(keyOf(theirPublicKey)), datagram));
  return datagram;
}

function keyOf(text: string): Uint8Array {
  return present(parseKey(text), 'a key in base64');
}
