/**
 * What passes between the control plane (node/) and the walk, whichever hand walks it.
 *
 * Downwards go table writes: the control plane is the only writer of the tables that the walk
 * reads. Upwards come walk events: the few things about traffic that the control plane must know.
 * No event is raised per data packet: each kind says what re-arms it. The walk keeps four instants
 * a peer (Activity) from which the control plane judges its timers.
 */

import type { Address, Endpoint, Mac, Prefix } from '../base/address.js';
import type { PeerSlot, SessionIndex } from '../base/identifiers.js';
import type { Instant } from '../base/time.js';
import type { Suite } from '../crypto/suite.js';
import type { Encapsulation } from '../encap/encapsulation.js';
import type { Drop } from './drop.js';

/** Packets that wait for a session, a peer; the oldest is dropped for a newer one. */
export const STAGED_PER_PEER = 128;
/** Handshake messages that wait for the control plane, all peers together. */
export const HANDSHAKE_QUEUE = 1024;
/** Control messages that wait for the control plane, all peers together. */
export const CONTROL_QUEUE = 1024;
/** The longest control message, in bytes. */
export const MAX_CONTROL = 1024;
/** Lanes of a node, at most: what three bits of a receiver index can name. */
export const MAX_LANES = 8;

/** What a keypair of heddle's own form has beside WireGuard's. */
export interface LaneKeypair {
  readonly suite: Suite;
  /** The lane that sends with it, and the low bits of both indices. */
  readonly lane: number;
  /** The peer takes packets whose checksum field holds the pseudo-header's sum alone. */
  readonly trustsChecksums: boolean;
}

/** Both directions of one session. The walk copies the keys and wipes its copies on removal. */
export interface KeypairMaterial {
  readonly localIndex: SessionIndex;
  readonly remoteIndex: SessionIndex;
  /** 32 bytes each. */
  readonly sendKey: Uint8Array;
  readonly receiveKey: Uint8Array;
  readonly createdAt: Instant;
  /** Only the initiator of a session asks for its successor. */
  readonly isInitiator: boolean;
  /** The peer speaks heddle's protocol: control messages are taken from it. */
  readonly takesControl?: boolean;
  /** Absent: WireGuard's own data messages (type 4), ChaCha20-Poly1305, sent by any lane. */
  readonly heddle?: LaneKeypair;
}

export type TableWrite =
  /**
   * The key that mac1 of incoming handshakes is checked with: HASH("mac1----" || our public key),
   * 32 bytes.
   */
  | {
      readonly kind: 'setMac1Key';
      readonly key: Uint8Array;
      /** One more that is taken, while our key changes. */
      readonly other?: Uint8Array;
    }
  /** The TUN's MTU: bounds padding, and inner packets longer than it are dropped. */
  | { readonly kind: 'setMtu'; readonly mtu: number }
  /**
   * The least MTU that a route into the tunnel sets: packets that fit are not padded past it. 0:
   * there is none.
   */
  | { readonly kind: 'setRouteMtu'; readonly mtu: number }
  /** Our VTEP's Ethernet address: where clear VXLAN frames come from and must be sent to. */
  | { readonly kind: 'setVtepMac'; readonly mac: Mac }
  /** The interface's addresses: neighbour questions for them are answered in clear VXLAN. */
  | { readonly kind: 'setOwnAddresses'; readonly addresses: readonly Address[] }
  /** A new peer is `wireguard` and without keypair, endpoint or prefix. */
  | { readonly kind: 'addPeer'; readonly peer: PeerSlot }
  /**
   * How the peer's packets cross the underlay. A sealed message that arrives in another form is
   * dropped (`encapsulation`). A clear peer is found by its outer address, port and VNI; it has no
   * keypairs and raises no events.
   */
  | {
      readonly kind: 'setEncapsulation';
      readonly peer: PeerSlot;
      readonly encapsulation: Encapsulation;
    }
  /** Takes the peer's prefixes, keypairs and staged packets with it. */
  | { readonly kind: 'removePeer'; readonly peer: PeerSlot }
  /** Gives the prefix to the peer, taking it from whoever had it. */
  | { readonly kind: 'insertPrefix'; readonly prefix: Prefix; readonly peer: PeerSlot }
  | { readonly kind: 'removePrefix'; readonly prefix: Prefix }
  | { readonly kind: 'setEndpoint'; readonly peer: PeerSlot; readonly endpoint: Endpoint }
  /** From now on datagrams with this receiver index open; nothing is sent with it yet. */
  | { readonly kind: 'installKeypair'; readonly peer: PeerSlot; readonly keypair: KeypairMaterial }
  /**
   * From now on the peer's packets are sealed with this installed keypair: those of its lane, or
   * those of all lanes where it has none.
   */
  | { readonly kind: 'useKeypair'; readonly peer: PeerSlot; readonly localIndex: SessionIndex }
  /** Wipes it; if the peer was sending with it, the peer has no session to send with. */
  | { readonly kind: 'removeKeypair'; readonly localIndex: SessionIndex }
  /**
   * Sends what was staged; where nothing was and `orKeepalive` is set, a keepalive, which confirms
   * the session.
   */
  | { readonly kind: 'flushStaged'; readonly peer: PeerSlot; readonly orKeepalive: boolean }
  /** Gives up on what was staged (drop `staged_expired`) and re-arms `sessionNeeded`. */
  | { readonly kind: 'dropStaged'; readonly peer: PeerSlot }
  /**
   * Seals a control message, at most MAX_CONTROL bytes, with this installed keypair, which need not
   * be in use; nothing where there is no such keypair or no endpoint.
   */
  | {
      readonly kind: 'sendControl';
      readonly peer: PeerSlot;
      readonly localIndex: SessionIndex;
      readonly message: Uint8Array;
    }
  /** An empty data message, if there is a session; nothing otherwise. */
  | { readonly kind: 'sendKeepalive'; readonly peer: PeerSlot }
  /**
   * A handshake message to or from the peer counts as traffic for Activity, and its bytes for the
   * peer.
   */
  | {
      readonly kind: 'noteHandshake';
      readonly peer: PeerSlot;
      readonly direction: 'sent' | 'received';
      /** The datagram's length. */
      readonly bytes: number;
    }
  /** Re-arms the `activity` event and answers with one at once. */
  | { readonly kind: 'readActivity'; readonly peer: PeerSlot };

/**
 * When the peer's traffic happened; 0 is never. A packet is "unanswered" while its instant is later
 * than the last packet the other way: `unansweredSend > lastReceived` means we sent data then and
 * have heard nothing since.
 */
export interface Activity {
  /** Last authenticated message of any kind, keepalives and handshakes too. */
  readonly lastSent: Instant;
  readonly lastReceived: Instant;
  /** First data message (not keepalive) sent after `lastReceived` at that time. */
  readonly unansweredSend: Instant;
  /** First data message (not keepalive) received after `lastSent` at that time. */
  readonly unansweredReceive: Instant;
}

export type WalkEvent =
  /**
   * A handshake message (types 1 to 3) of the right length whose mac1, where it has one, is right.
   */
  | {
      readonly kind: 'handshake';
      readonly datagram: Uint8Array;
      readonly source: Endpoint;
      /** Handshake messages behind this one in the queue: the measure of load (WireGuard §5.3). */
      readonly queued: number;
    }
  /**
   * The peer has packets to send and no session (`staged`), or its session is due for a successor:
   * its initiator sent with a keypair older than REKEY_AFTER_TIME or past REKEY_AFTER_MESSAGES
   * (`rekey`), or received on one older than REKEY_AFTER_TIME_RECEIVING (`rekey`). `staged` is
   * raised again after useKeypair, dropStaged or a message sent, `rekey` once a keypair and
   * direction.
   */
  | { readonly kind: 'sessionNeeded'; readonly peer: PeerSlot; readonly reason: 'staged' | 'rekey' }
  /**
   * The first message authenticated under this keypair; once a keypair. Where we made it as
   * responder, it proves that the initiator has it too; unless it was a control message, what is
   * sent from now on is sealed with it, and the control plane answers with useKeypair.
   */
  | { readonly kind: 'confirmed'; readonly peer: PeerSlot; readonly localIndex: SessionIndex }
  /**
   * A control message of at most MAX_CONTROL bytes, its padding with it, authenticated under this
   * keypair.
   */
  | {
      readonly kind: 'control';
      readonly peer: PeerSlot;
      readonly localIndex: SessionIndex;
      readonly message: Uint8Array;
    }
  /**
   * An authenticated, unreplayed message came from another endpoint than the peer's, and what is
   * sent to the peer goes there from now on; the control plane answers with setEndpoint, after
   * which the event may be raised again.
   */
  | { readonly kind: 'roamed'; readonly peer: PeerSlot; readonly endpoint: Endpoint }
  /**
   * Data was sent that awaits an answer, or received and awaits ours; once each way until
   * readActivity.
   */
  | { readonly kind: 'activity'; readonly peer: PeerSlot; readonly activity: Activity };

/**
 * What a peer's traffic amounts to: bytes of messages with their WireGuard headers, as `wg show`
 * counts.
 */
export interface PeerTraffic {
  readonly rxBytes: bigint;
  readonly txBytes: bigint;
  readonly rxPackets: bigint;
  readonly txPackets: bigint;
  /** What was dropped of its packets, both directions. */
  readonly drops: Readonly<Record<Drop, bigint>>;
}
