/**
 * The outer UDP port of the reference hand: Node's dgram, an IPv4 and an IPv6 socket on one port
 * number. A host without IPv6 gets the IPv4 socket alone.
 */

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { type Endpoint, endpointOf, type Family, parseAddress } from '../base/address.js';
import type { PeerSlot } from '../base/identifiers.js';
import type { Drop } from '../datapath/drop.js';
import { HandError } from './hand.js';

const BUFFER_BYTES = 8 << 20;
const PORT_TRIES = 16;
/** Datagrams that wait in a socket while the kernel takes none; further ones are dropped. */
const SENDING_MOST = 1024;
/** What Linux sends with (ip_default_ttl). */
const USUAL_HOPS = 64;
const NO_IPV6 = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL']);
const SEND_DROPS: Readonly<Record<string, Drop>> = {
  ENOBUFS: 'send_no_buffer',
  EAGAIN: 'send_no_buffer',
  ENOMEM: 'send_no_buffer',
  ENETUNREACH: 'send_unreachable',
  EHOSTUNREACH: 'send_unreachable',
  ENETDOWN: 'send_unreachable',
  EADDRNOTAVAIL: 'send_unreachable',
  EINVAL: 'send_unreachable',
  ENODEV: 'send_unreachable',
  EPERM: 'send_refused',
  EACCES: 'send_refused',
  ECONNREFUSED: 'send_refused',
  EMSGSIZE: 'send_too_big',
};

/** The drop reason of a failed send. */
export function sendDrop(code: string | undefined): Drop {
  return SEND_DROPS[code ?? ''] ?? 'send_failed';
}

export interface UdpEvents {
  /** The datagram is the receiver's to keep. */
  readonly received: (datagram: Uint8Array, source: Endpoint) => void;
  /** `peer` is whose datagram it was, where `send` was told. */
  readonly sendFailed: (reason: Drop, peer?: PeerSlot) => void;
}

export interface SendOptions {
  readonly peer?: PeerSlot;
  /** TTL or hop limit; 0 and absent: what hosts send with. */
  readonly hops?: number;
}

export class UdpPort {
  readonly port: number;
  readonly #sockets: ReadonlyMap<Family, Socket>;
  readonly #events: UdpEvents;
  /** What a socket sends with, where it was changed. */
  readonly #hops = new Map<Family, number>();
  #receivedCount = 0;
  #isOpen = true;

  private constructor(sockets: ReadonlyMap<Family, Socket>, events: UdpEvents) {
    this.#sockets = sockets;
    this.#events = events;
    this.port = sockets.get(4)?.address().port ?? 0;
    for (const socket of sockets.values()) {
      socket.on('message', (bytes, from) => this.#receive(bytes, from));
      socket.on('error', (error: NodeJS.ErrnoException) => events.sendFailed(sendDrop(error.code)));
    }
  }

  /** Datagrams so far. */
  get receivedCount(): number {
    return this.#receivedCount;
  }

  /** Binds both families to `port`; 0 chooses one that is free in both. Throws HandError. */
  static open(port: number, events: UdpEvents): UdpPort {
    for (let attempt = 1; ; attempt++) {
      const sockets = new Map<Family, Socket>();
      try {
        sockets.set(4, bind('udp4', port));
        const chosen = sockets.get(4)?.address().port ?? port;
        const v6 = bindUnlessMissing(chosen);
        if (v6) sockets.set(6, v6);
        return new UdpPort(sockets, events);
      } catch (error) {
        for (const socket of sockets.values()) socket.close();
        // A port chosen for IPv4 may be taken for IPv6: choose again.
        if (codeOf(error) === 'EADDRINUSE' && port === 0 && attempt < PORT_TRIES) continue;
        throw openingError(port, codeOf(error));
      }
    }
  }

  /** Never throws; a failure is told by `sendFailed`, now or later. The datagram is not copied. */
  send(endpoint: Endpoint, datagram: Uint8Array, options: SendOptions = {}): void {
    const { address, port } = endpoint;
    const { peer, hops = 0 } = options;
    const socket = this.#sockets.get(address.family);
    const refused = this.#refusal(socket, port);
    if (!socket || refused) {
      this.#events.sendFailed(refused ?? 'send_unreachable', peer);
      return;
    }
    this.#setHops(address.family, socket, hops);
    socket.send(datagram, port, address.text, (error) => {
      if (error) this.#events.sendFailed(sendDrop(codeOf(error)), peer);
    });
  }

  /** Nothing is received after; what is sent after is dropped as `send_failed`. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const socket of this.#sockets.values()) socket.close();
  }

  /**
   * Of the socket, since Node sets it for no single datagram; one that waits in the socket leaves
   * with those of a later one.
   */
  #setHops(family: Family, socket: Socket, hops: number): void {
    if (hops === (this.#hops.get(family) ?? 0)) return;
    this.#hops.set(family, hops);
    socket.setTTL(hops === 0 ? USUAL_HOPS : hops);
  }

  #refusal(socket: Socket | undefined, port: number): Drop | undefined {
    if (!this.#isOpen) return 'send_failed';
    // Anybody can write 0 as the source port of a datagram, but nothing can be sent there.
    if (!socket || port === 0) return 'send_unreachable';
    return socket.getSendQueueCount() < SENDING_MOST ? undefined : 'send_no_buffer';
  }

  #receive(bytes: Uint8Array, from: RemoteInfo): void {
    this.#receivedCount++;
    // A link-local source is followed by its interface, which an address of ours does not carry.
    const address = parseAddress(from.address.replace(/%.*$/, ''));
    if (address) this.#events.received(new Uint8Array(bytes), endpointOf(address, from.port));
  }
}

/** Bound when it returns: nothing is looked up, so dgram has nothing to wait for. Throws. */
function bind(type: 'udp4' | 'udp6', port: number): Socket {
  const socket = createSocket({
    type,
    ipv6Only: type === 'udp6',
    recvBufferSize: BUFFER_BYTES,
    sendBufferSize: BUFFER_BYTES,
    // Addresses are literal: taken at once, without a turn of the event loop to look up.
    lookup: (host, _options, callback) => callback(null, host, type === 'udp6' ? 6 : 4),
  });
  let failure: Error | undefined = new Error('the socket is not bound yet');
  const fail = (error: Error): void => {
    failure = error;
  };
  socket.once('error', fail);
  socket.bind({ port, exclusive: true }, () => {
    failure = undefined;
  });
  socket.off('error', fail);
  if (!failure) return socket;
  socket.close();
  throw failure;
}

/** Undefined where the host has no IPv6. */
function bindUnlessMissing(port: number): Socket | undefined {
  try {
    return bind('udp6', port);
  } catch (error) {
    if (NO_IPV6.has(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

function openingError(port: number, code: string | undefined): HandError {
  const advice =
    code === 'EADDRINUSE'
      ? '; another program has that port: stop it, or set another "listenPort"'
      : '';
  return new HandError(code ?? 'UNKNOWN', `Open UDP port ${port}: ${code ?? 'unknown'}${advice}`);
}
