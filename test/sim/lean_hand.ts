/**
 * The packet path of a simulated host, as far as a mesh needs one: keypairs by index, and messages
 * in them that are not sealed. It raises the events that the walk raises for these (datapath/
 * tables.ts), counts the bytes that the walk would send, and passes no inner packet.
 */

import type { Endpoint } from '../../src/base/address.js';
import type { PeerSlot, SessionIndex } from '../../src/base/identifiers.js';
import { elapsed, type Instant, instant } from '../../src/base/time.js';
import type { KeypairMaterial, TableWrite, WalkEvent } from '../../src/datapath/tables.js';
import {
  REJECT_AFTER_TIME,
  REKEY_AFTER_TIME,
  REKEY_AFTER_TIME_RECEIVING,
} from '../../src/session/constants.js';

/** What crosses a simulated wire. */
export type Wire =
  | { readonly kind: 'handshake'; readonly datagram: Uint8Array }
  | {
      readonly kind: 'data';
      readonly receiver: SessionIndex;
      /** Undefined: a keepalive. */
      readonly message: Uint8Array | undefined;
    };

interface HandKeypair {
  readonly peer: PeerSlot;
  readonly localIndex: SessionIndex;
  readonly remoteIndex: SessionIndex;
  readonly createdAt: Instant;
  readonly isInitiator: boolean;
  isConfirmed: boolean;
  /** Its successor was asked for. */
  isRekeyRaised: boolean;
}

interface HandPeer {
  endpoint: Endpoint | undefined;
  inUse: HandKeypair | undefined;
  lastSent: Instant;
  lastReceived: Instant;
  /** Of its keypairs, so that they go with it; absent: it never had one. */
  indices: Set<SessionIndex> | undefined;
}

/** IPv4, UDP, WireGuard's header and tag. */
const OVERHEAD = 20 + 8 + 32;
/** A datagram's IPv4 and UDP headers. */
const HEADERS = 28;
/** Plaintexts are padded to a multiple of it. */
const PADDING = 16;
const NEVER_YET = instant(0);

export class LeanHand {
  readonly #peers = new Map<PeerSlot, HandPeer>();
  readonly #keypairs = new Map<SessionIndex, HandKeypair>();
  readonly #send: (to: Endpoint, wire: Wire) => void;
  readonly #raise: (event: WalkEvent) => void;
  /** What it sent, headers and all. */
  sentBytes = 0;

  constructor(send: (to: Endpoint, wire: Wire) => void, raise: (event: WalkEvent) => void) {
    this.#send = send;
    this.#raise = raise;
  }

  write(write: TableWrite, now: Instant): void {
    switch (write.kind) {
      case 'addPeer':
        this.#peers.set(write.peer, emptyPeer());
        return;
      case 'removePeer':
        return this.#removePeer(write.peer);
      case 'setEndpoint': {
        const peer = this.#peers.get(write.peer);
        if (peer) peer.endpoint = write.endpoint;
        return;
      }
      case 'installKeypair':
        return this.#install(write.peer, write.keypair);
      case 'useKeypair':
        return this.#use(write.peer, write.localIndex);
      case 'removeKeypair':
        return this.#removeKeypair(write.localIndex);
      case 'sendControl':
        return this.#seal(this.#keypairs.get(write.localIndex), write.message, now);
      case 'sendKeepalive':
        return this.#seal(this.#peers.get(write.peer)?.inUse, undefined, now);
      case 'flushStaged':
        if (write.orKeepalive) this.#seal(this.#peers.get(write.peer)?.inUse, undefined, now);
        return;
      case 'readActivity':
        return this.#tellActivity(write.peer);
      default:
        return;
    }
  }

  sendHandshake(to: Endpoint, datagram: Uint8Array): void {
    this.sentBytes += HEADERS + datagram.length;
    this.#send(to, { kind: 'handshake', datagram });
  }

  receive(wire: Wire, source: Endpoint, now: Instant): void {
    if (wire.kind === 'handshake') {
      const { datagram } = wire;
      return this.#raise({ kind: 'handshake', datagram, source, queued: 0 });
    }
    const keypair = this.#keypairs.get(wire.receiver);
    const peer = keypair && this.#peers.get(keypair.peer);
    if (!keypair || !peer || elapsed(keypair.createdAt, now) >= REJECT_AFTER_TIME) return;
    peer.lastReceived = now;
    const { peer: slot, localIndex } = keypair;
    if (peer.endpoint?.text !== source.text) {
      peer.endpoint = source;
      this.#raise({ kind: 'roamed', peer: slot, endpoint: source });
    }
    if (!wire.message) this.#promote(peer, keypair);
    if (!keypair.isConfirmed) {
      keypair.isConfirmed = true;
      this.#raise({ kind: 'confirmed', peer: slot, localIndex });
    }
    this.#askForRekey(keypair, REKEY_AFTER_TIME_RECEIVING, now);
    if (!wire.message) return;
    this.#raise({ kind: 'control', peer: slot, localIndex, message: wire.message });
  }

  #install(slot: PeerSlot, material: KeypairMaterial): void {
    const { localIndex, remoteIndex, createdAt, isInitiator } = material;
    const state = { isConfirmed: false, isRekeyRaised: false };
    const keypair = { peer: slot, localIndex, remoteIndex, createdAt, isInitiator, ...state };
    this.#keypairs.set(localIndex, keypair);
    const peer = this.#peers.get(slot);
    if (!peer) return;
    peer.indices ??= new Set();
    peer.indices.add(localIndex);
  }

  /** Lanes share the session's indices, but for three bits: the hand sends by whichever is last. */
  #use(slot: PeerSlot, localIndex: SessionIndex): void {
    const peer = this.#peers.get(slot);
    const keypair = this.#keypairs.get(localIndex);
    if (peer && keypair) peer.inUse = keypair;
  }

  /** The first message under a keypair that we made as responder shows that it may be sent with. */
  #promote(peer: HandPeer, keypair: HandKeypair): void {
    if (keypair.isConfirmed || keypair.isInitiator) return;
    if (!peer.inUse || keypair.createdAt > peer.inUse.createdAt) peer.inUse = keypair;
  }

  #seal(keypair: HandKeypair | undefined, message: Uint8Array | undefined, now: Instant): void {
    const peer = keypair && this.#peers.get(keypair.peer);
    if (!keypair || !peer?.endpoint) return;
    if (elapsed(keypair.createdAt, now) >= REJECT_AFTER_TIME) return;
    peer.lastSent = now;
    this.sentBytes += OVERHEAD + PADDING * Math.ceil((message?.length ?? 0) / PADDING);
    this.#send(peer.endpoint, { kind: 'data', receiver: keypair.remoteIndex, message });
    this.#askForRekey(keypair, REKEY_AFTER_TIME, now);
  }

  /** Only who began a session asks for its successor. */
  #askForRekey(keypair: HandKeypair, age: number, now: Instant): void {
    if (!keypair.isInitiator || keypair.isRekeyRaised) return;
    if (elapsed(keypair.createdAt, now) < age) return;
    keypair.isRekeyRaised = true;
    this.#raise({ kind: 'sessionNeeded', peer: keypair.peer, reason: 'rekey' });
  }

  #tellActivity(slot: PeerSlot): void {
    const peer = this.#peers.get(slot);
    if (!peer) return;
    const { lastSent, lastReceived } = peer;
    const unanswered = { unansweredSend: NEVER_YET, unansweredReceive: NEVER_YET };
    const activity = { lastSent, lastReceived, ...unanswered };
    this.#raise({ kind: 'activity', peer: slot, activity });
  }

  #removeKeypair(localIndex: SessionIndex): void {
    const keypair = this.#keypairs.get(localIndex);
    if (!keypair) return;
    this.#keypairs.delete(localIndex);
    const peer = this.#peers.get(keypair.peer);
    peer?.indices?.delete(localIndex);
    if (peer?.inUse === keypair) peer.inUse = undefined;
  }

  #removePeer(slot: PeerSlot): void {
    for (const index of this.#peers.get(slot)?.indices ?? []) this.#keypairs.delete(index);
    this.#peers.delete(slot);
  }
}

function emptyPeer(): HandPeer {
  return {
    endpoint: undefined,
    inUse: undefined,
    lastSent: NEVER_YET,
    lastReceived: NEVER_YET,
    indices: undefined,
  };
}
