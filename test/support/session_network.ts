/**
 * Two session cores that talk to each other under one virtual clock, each over a model of the walk:
 * keypairs by index and key, what sends on each lane, which first messages are told of. Nothing is
 * sealed; a message opens where the receiver has its key under its index. The model fails where a
 * key is installed twice, or what is not there is used or removed.
 */

import { assert } from '../../src/base/assert.js';
import { toHex } from '../../src/base/bytes.js';
import type { SessionIndex } from '../../src/base/identifiers.js';
import { after, type Duration, earliest, type Instant, millis } from '../../src/base/time.js';
import type { KeyedKeypair, SessionAction } from '../../src/session/action.js';
import type { Features } from '../../src/session/features.js';
import type { SessionInput } from '../../src/session/input.js';
import type { Session } from '../../src/session/session.js';
import { MESSAGE_INITIATION, messageType } from '../../src/wire/wireguard.js';
import {
  actionsOf,
  createParty,
  createSession,
  HERE,
  open,
  type Party,
  START,
} from './session_scene.js';

export interface Message {
  readonly kind: 'handshake' | 'control' | 'data';
  readonly from: Side;
  readonly to: Side;
  readonly bytes: Uint8Array;
  readonly receiver: SessionIndex | undefined;
  readonly key: string;
}

interface Installed extends Omit<KeyedKeypair, 'sendKey' | 'receiveKey'> {
  readonly sendKey: string;
  readonly receiveKey: string;
  isConfirmed: boolean;
}

const LANES = 8;

export class Side {
  readonly party: Party;
  session: Session;
  readonly keypairs = new Map<SessionIndex, Installed>();
  readonly lanes: (SessionIndex | undefined)[] = [];
  readonly actions: SessionAction[] = [];
  /** Data that arrived, by the index it came under. */
  readonly received: SessionIndex[] = [];
  /** Data that arrived under an index that is gone. */
  lost = 0;
  readonly #network: SessionNetwork;
  readonly #other: () => Side;

  constructor(network: SessionNetwork, parties: readonly [Party, Party], other: () => Side) {
    this.#network = network;
    this.party = parties[0];
    this.#other = other;
    this.session = createSession(...parties);
  }

  handle(input: SessionInput): void {
    this.session.handle(input, this.#network.now);
    this.settle();
  }

  speak(features: Features | undefined): void {
    this.handle({ kind: 'protocol', features });
  }

  begin(): void {
    this.handle({ kind: 'sessionNeeded', reason: 'rekey' });
  }

  /** The daemon starts again: nothing is remembered. */
  restart(features: Features | undefined): void {
    this.session.handle({ kind: 'stop' }, this.#network.now);
    actionsOf(this.session);
    this.keypairs.clear();
    this.lanes.length = 0;
    this.session = createSession(this.party, this.#other().party);
    this.speak(features);
  }

  /** What sends on each of the first `count` lanes. */
  sendsWith(count = LANES): (SessionIndex | undefined)[] {
    return Array.from({ length: count }, (_, lane) => this.lanes[lane]);
  }

  sendData(lane = 0): void {
    const index = this.lanes[lane];
    if (index !== undefined) this.#send('data', index, new Uint8Array(0));
  }

  receive(message: Message): void {
    if (message.kind === 'handshake') return this.#receiveHandshake(message.bytes);
    const { receiver, key, kind } = message;
    const keypair = receiver === undefined ? undefined : this.keypairs.get(receiver);
    if (keypair?.receiveKey !== key) {
      if (kind === 'data') this.lost++;
      return;
    }
    const { localIndex } = keypair;
    const isTold = kind === 'data' || this.#network.confirms !== 'by data alone';
    const isFirst = !keypair.isConfirmed && isTold;
    keypair.isConfirmed ||= isTold;
    const isConfirmedLast = this.#network.confirms === 'after control';
    if (kind === 'data') {
      this.received.push(localIndex);
      // As the walk does by itself, before the control plane hears of it.
      if (isFirst && this.#isPromoted(keypair)) this.lanes.fill(localIndex, 0, LANES);
    }
    if (isFirst && !isConfirmedLast) this.handle({ kind: 'confirmed', localIndex });
    const isTaken = kind === 'control' && keypair.takesControl === true;
    if (isTaken) this.handle({ kind: 'control', localIndex, message: message.bytes });
    if (isFirst && isConfirmedLast) this.handle({ kind: 'confirmed', localIndex });
  }

  /** A session of the peer's making, and none that we made after it is in use. */
  #isPromoted({ isInitiator, heddle, createdAt }: Installed): boolean {
    if (isInitiator || heddle) return false;
    return this.lanes.every((index) => {
      const sending = index === undefined ? undefined : this.keypairs.get(index);
      return sending === undefined || createdAt > sending.createdAt;
    });
  }

  advance(): void {
    this.session.advance(this.#network.now);
    this.settle();
  }

  settle(): void {
    for (const action of actionsOf(this.session)) {
      this.actions.push(action);
      this.#carryOut(action);
    }
  }

  #carryOut(action: SessionAction): void {
    switch (action.kind) {
      case 'installKeypair':
        return this.#install(action.keypair);
      case 'removeKeypair': {
        assert(this.keypairs.delete(action.localIndex), 'what is removed is installed');
        for (const [lane, index] of this.lanes.entries()) {
          if (index === action.localIndex) this.lanes[lane] = undefined;
        }
        return;
      }
      case 'useKeypair': {
        const keypair = this.keypairs.get(action.localIndex);
        assert(keypair !== undefined, 'what is used is installed');
        const lane = keypair.heddle?.lane;
        for (let at = 0; at < LANES; at++) {
          if (lane === undefined || lane === at) this.lanes[at] = action.localIndex;
        }
        return;
      }
      case 'sendControl':
        return this.#send('control', action.localIndex, action.message);
      case 'flushStaged':
        return action.orKeepalive ? this.sendData() : undefined;
      case 'send':
        return this.#transmit('handshake', action.datagram, undefined);
      default:
        return;
    }
  }

  #install({ sendKey, receiveKey, ...name }: KeyedKeypair): void {
    const keys = { sendKey: toHex(sendKey), receiveKey: toHex(receiveKey) };
    assert(!this.keypairs.has(name.localIndex), 'an index has one keypair');
    for (const key of Object.values(keys)) this.#network.useKey(this, key);
    this.keypairs.set(name.localIndex, { ...name, ...keys, isConfirmed: false });
  }

  #send(kind: 'control' | 'data', index: SessionIndex, bytes: Uint8Array): void {
    const keypair = this.keypairs.get(index);
    assert(keypair !== undefined, 'what sends is installed');
    this.#transmit(kind, bytes, keypair);
  }

  #transmit(kind: Message['kind'], bytes: Uint8Array, by: Installed | undefined): void {
    const receiver = by?.remoteIndex;
    const to = this.#other();
    this.#network.transmit({ kind, from: this, to, bytes, receiver, key: by?.sendKey ?? '' });
  }

  #receiveHandshake(datagram: Uint8Array): void {
    const source = HERE;
    if (messageType(datagram) !== MESSAGE_INITIATION) {
      return this.handle({ kind: 'response', datagram, source });
    }
    const opened = open(this.party, datagram);
    this.handle({ kind: 'initiation', opened, datagram, source });
  }
}

export class SessionNetwork {
  readonly left: Side;
  readonly right: Side;
  readonly sent: Message[] = [];
  now: Instant = START;
  latency: () => Duration = () => millis(10);
  /** True loses the message. */
  isLost: (message: Message) => boolean = () => false;
  /** How often the message arrives. */
  copies: (message: Message) => number = () => 1;
  /** When the walk tells of a keypair's first message, where that is a control message. */
  confirms: 'before control' | 'after control' | 'by data alone' = 'before control';
  #inFlight: { readonly at: Instant; readonly message: Message }[] = [];
  readonly #keys = new Map<Side, Set<string>>();

  constructor(features: readonly [Features | undefined, Features | undefined], seed = '') {
    const [one, other] = [createParty(`left ${seed}`), createParty(`right ${seed}`)];
    this.left = new Side(this, [one, other], () => this.right);
    this.right = new Side(this, [other, one], () => this.left);
    this.left.speak(features[0]);
    this.right.speak(features[1]);
  }

  transmit(message: Message): void {
    this.sent.push(message);
    if (this.isLost(message)) return;
    for (let copy = 0; copy < this.copies(message); copy++) {
      this.#inFlight.push({ at: after(this.now, this.latency()), message });
    }
  }

  /** A key is installed once at each side, and never again. */
  useKey(side: Side, key: string): void {
    const used = this.#keys.get(side) ?? new Set();
    assert(!used.has(key), 'no key is installed twice');
    this.#keys.set(side, used.add(key));
  }

  /** Lets everything happen that is due within `duration`, each thing at its own instant. */
  run(duration: Duration): void {
    const until = after(this.now, duration);
    for (;;) {
      let next = earliest(this.left.session.deadline(), this.right.session.deadline());
      for (const { at } of this.#inFlight) next = earliest(next, at);
      if (next > until) break;
      if (next > this.now) this.now = next;
      this.#step();
    }
    this.now = until;
  }

  /** A session from left to right, with its hellos. */
  connect(): void {
    this.left.begin();
    this.run(millis(200));
  }

  #step(): void {
    const due = this.#inFlight.filter(({ at }) => at <= this.now);
    this.#inFlight = this.#inFlight.filter(({ at }) => at > this.now);
    for (const { message } of due) message.to.receive(message);
    for (const side of [this.left, this.right]) {
      if (side.session.deadline() <= this.now) side.advance();
    }
  }
}
