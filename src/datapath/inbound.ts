/**
 * Wire -> TUN, the steps of the walk read upwards:
 *
 *   9 receive    demultiplex: handshake messages go up to the control plane, data messages on;
 *                what came on a clear port goes to clear_inbound instead
 *   7 encap      is it in the peer's outer form?
 *   6 open       whose session, not expired; open; then the replay window
 *   8 path       it authenticated: where does the peer speak from?
 *                a control message goes up to the control plane
 *   2 classify   is there a whole packet inside?
 *   4 route      may this peer send from that source?
 *   1 write      hand the packet to the TUN
 *
 * The twin is native/datapath/inbound.cc.
 */

import type { Endpoint } from '../base/address.js';
import { elapsed, type Instant } from '../base/time.js';
import type { CryptoSuite } from '../crypto/suite.js';
import type { ClearPort, Encapsulation } from '../encap/encapsulation.js';
import { fromBehindVxlan } from '../encap/vxlan.js';
import { REKEY_AFTER_TIME_RECEIVING } from '../session/constants.js';
import { checkMac1 } from '../session/cookie.js';
import { isExpired, openData, type TransportKeypair } from '../session/transport.js';
import { VXLAN_FLAG_VNI, VXLAN_HEADER_BYTES } from '../wire/vxlan.js';
import {
  counterOf,
  DATA_LEAST_BYTES,
  isHeddleType,
  MESSAGE_HEDDLE_PARTIAL,
  messageType,
  receiverOf,
} from '../wire/wireguard.js';
import { ClearInbound } from './clear_inbound.js';
import { innerFamily, innerLength, innerVersion, sourceAt } from './classify.js';
import type { WalkCounters } from './counters.js';
import { demultiplex } from './demux.js';
import type { Drop } from './drop.js';
import { completeChecksum } from './fill_checksum.js';
import { CONTROL_QUEUE, HANDSHAKE_QUEUE, MAX_CONTROL, type WalkEvent } from './tables.js';
import type { WalkOutput } from './walk_output.js';
import type { PeerEntry, WalkTables } from './walk_tables.js';

/** The first four bits of a control message, where an IP packet has its version. */
const CONTROL_NIBBLE = 1;

/** What an opened message is to the session it came in. */
type Content = 'data' | 'keepalive' | 'control';

export class Inbound {
  readonly #tables: WalkTables;
  readonly #suite: CryptoSuite;
  readonly #counters: WalkCounters;
  readonly #out: WalkOutput[];
  readonly #clear: ClearInbound;
  /** Handshakes and control messages in `out` that nobody took yet. */
  #handshakes = 0;
  #controls = 0;

  constructor(tables: WalkTables, suite: CryptoSuite, counters: WalkCounters, out: WalkOutput[]) {
    this.#tables = tables;
    this.#suite = suite;
    this.#counters = counters;
    this.#out = out;
    this.#clear = new ClearInbound(tables, counters, out);
  }

  /** One datagram, borrowed, that arrived on a clear port or, without one, on the listen port. */
  datagram(
    bytes: Uint8Array,
    source: Endpoint,
    arrival: ClearPort | undefined,
    now: Instant,
  ): void {
    this.#counters.add('datagram_in', 1);
    this.#counters.add('datagram_in_bytes', bytes.length);
    const dropped = arrival
      ? this.#clear.datagram(bytes, source, arrival, now)
      : this.#unwrap(bytes, source, now);
    if (dropped) this.#counters.drop(dropped);
  }

  /** An event as it is taken: a handshake then tells how many wait behind it. */
  take(event: WalkEvent): WalkEvent {
    if (event.kind === 'control') this.#controls--;
    if (event.kind !== 'handshake') return event;
    this.#handshakes--;
    return { ...event, queued: this.#handshakes };
  }

  /** The message behind a VXLAN header came from an endpoint with its VNI. */
  #unwrap(bytes: Uint8Array, source: Endpoint, now: Instant): Drop | undefined {
    if (bytes[0] !== VXLAN_FLAG_VNI) return this.#dispatch(bytes, source, now);
    if (bytes.length < VXLAN_HEADER_BYTES + DATA_LEAST_BYTES) return 'datagram_length';
    const { vni, message } = fromBehindVxlan(bytes);
    return vni === 0 ? 'datagram_type' : this.#dispatch(message, { ...source, vni }, now);
  }

  #dispatch(bytes: Uint8Array, source: Endpoint, now: Instant): Drop | undefined {
    const found = demultiplex(bytes);
    if (found.kind === 'drop') return found.reason;
    if (found.kind === 'data') return this.#data(bytes, source, now);
    return this.#handshake(bytes, found.hasMac1, source);
  }

  #handshake(bytes: Uint8Array, hasMac1: boolean, source: Endpoint): Drop | undefined {
    const { mac1Keys } = this.#tables;
    if (hasMac1 && !mac1Keys.some((key) => checkMac1(key, bytes))) return 'mac1';
    if (this.#handshakes >= HANDSHAKE_QUEUE) return 'handshake_overflow';
    this.#counters.add('handshake_up', 1);
    this.#handshakes++;
    this.#raise({ kind: 'handshake', datagram: bytes.slice(), source, queued: 0 });
    return undefined;
  }

  #data(message: Uint8Array, source: Endpoint, now: Instant): Drop | undefined {
    const keypair = this.#tables.keypairs.get(receiverOf(message));
    const peer = keypair && this.#tables.peers.get(keypair.peer);
    if (!keypair || !peer) return 'unknown_index';
    const dropped = this.#open(peer, keypair, message, source, now);
    if (dropped) peer.drop(dropped);
    return dropped;
  }

  #open(
    peer: PeerEntry,
    keypair: TransportKeypair,
    message: Uint8Array,
    source: Endpoint,
    now: Instant,
  ): Drop | undefined {
    if (!isInForm(source, peer.encapsulation)) return 'encapsulation';
    const type = messageType(message);
    if (isHeddleType(type) !== (keypair.lane !== undefined)) return 'datagram_type';
    const counter = counterOf(message);
    const { rejectAfterMessages, mostFailedTags } = keypair.limits;
    if (counter >= rejectAfterMessages) return 'counter_limit';
    if (isExpired(keypair, now)) return 'keypair_expired';
    if (keypair.failedTags >= mostFailedTags) return 'counter_limit';
    const plaintext = openData(this.#suite, keypair, message);
    if (!plaintext) {
      keypair.failedTags++;
      return 'tag';
    }
    if (!keypair.replay.accept(counter)) return 'replay';
    const content = contentOf(keypair, plaintext);
    this.#authenticated(peer, keypair, { bytes: message.length, content }, source, now);
    const isPartial = type === MESSAGE_HEDDLE_PARTIAL;
    if (content === 'data') return this.#deliver(peer, plaintext, isPartial);
    if (isPartial) return 'opened_malformed';
    return content === 'control' ? this.#control(keypair, plaintext) : this.#keepalive();
  }

  #authenticated(
    peer: PeerEntry,
    keypair: TransportKeypair,
    { bytes, content }: { readonly bytes: number; readonly content: Content },
    source: Endpoint,
    now: Instant,
  ): void {
    const isData = content === 'data';
    this.#counters.add('opened', 1);
    peer.rxBytes += BigInt(bytes);
    peer.rxPackets++;
    if (isData && peer.unansweredReceive <= peer.lastSent) peer.unansweredReceive = now;
    peer.lastReceived = now;
    if (this.#tables.endpoints.moved(peer.slot, source)) {
      this.#raise({ kind: 'roamed', peer: peer.slot, endpoint: source });
    }
    if (content !== 'control') promote(peer, keypair);
    if (!keypair.confirmedRaised) {
      keypair.confirmedRaised = true;
      this.#raise({ kind: 'confirmed', peer: peer.slot, localIndex: keypair.localIndex });
    }
    const isOld =
      keypair.isInitiator && elapsed(keypair.createdAt, now) >= REKEY_AFTER_TIME_RECEIVING;
    if (isOld && !keypair.receiveRekeyRaised) {
      keypair.receiveRekeyRaised = true;
      this.#raise({ kind: 'sessionNeeded', peer: peer.slot, reason: 'rekey' });
    }
    if (isData && peer.receiveActivityArmed) {
      peer.receiveActivityArmed = false;
      this.#raise({ kind: 'activity', peer: peer.slot, activity: peer.activity() });
    }
  }

  #keepalive(): undefined {
    this.#counters.add('keepalive_in', 1);
  }

  #control({ peer, localIndex }: TransportKeypair, message: Uint8Array): Drop | undefined {
    if (message.length > MAX_CONTROL) return 'control_length';
    if (this.#controls >= CONTROL_QUEUE) return 'control_overflow';
    this.#counters.add('control_in', 1);
    this.#controls++;
    this.#raise({ kind: 'control', peer, localIndex, message });
    return undefined;
  }

  /** Of a partial one the checksum is whole in the packet that is handed out. */
  #deliver(peer: PeerEntry, plaintext: Uint8Array, isPartial: boolean): Drop | undefined {
    const version = innerVersion(plaintext);
    if (version !== 4 && version !== 6) return 'opened_protocol';
    const length = innerLength(plaintext);
    if (length === 0) return 'opened_malformed';
    const packet = plaintext.subarray(0, length);
    if (isPartial && !completeChecksum(packet)) return 'opened_malformed';
    const family = innerFamily(packet);
    const owner = this.#tables.prefixes.lookup(packet, sourceAt(family), family);
    if (owner !== peer) return 'opened_source';
    this.#counters.add('inner_out', 1);
    this.#counters.add('inner_out_bytes', length);
    this.#out.push({ kind: 'packet', packet });
    return undefined;
  }

  #raise(event: WalkEvent): void {
    this.#out.push({ kind: 'event', event });
  }
}

function contentOf(keypair: TransportKeypair, plaintext: Uint8Array): Content {
  if (plaintext.length === 0) return 'keepalive';
  return keypair.takesControl && innerVersion(plaintext) === CONTROL_NIBBLE ? 'control' : 'data';
}

/**
 * The initiator uses the keypair that we made as responder. Where handshakes crossed, the peer may
 * already have a later session of our own making.
 */
function promote(peer: PeerEntry, keypair: TransportKeypair): void {
  if (keypair.promotionSettled) return;
  keypair.promotionSettled = true;
  const isLatest = !peer.sending || keypair.createdAt > peer.sending.createdAt;
  if (!keypair.isInitiator && isLatest) peer.promoted = keypair;
}

/** Whether a sealed message from this source is in the form that the peer's messages have. */
function isInForm({ vni }: Endpoint, encapsulation: Encapsulation): boolean {
  switch (encapsulation.kind) {
    case 'wireguard':
      return vni === undefined;
    case 'vxlan-sealed':
      return vni === encapsulation.vni;
    case 'vxlan':
    case 'udp':
      return false;
  }
}
