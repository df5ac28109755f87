/**
 * Who has this address? Hosts behind a clear VXLAN peer ask by ARP (RFC 826) and by neighbour
 * solicitation (RFC 4861 §7.2). A TUN device has no Ethernet, so the kernel cannot answer them for
 * our own addresses, and the walk does. Whom it answers, clear_inbound decides.
 */

import { addressFromBytes, type Mac } from '../base/address.js';
import {
  ARP_BYTES,
  ARP_REPLY,
  ARP_REQUEST,
  type ArpMessage,
  emitArp,
  parseArp,
} from '../wire/arp.js';
import { ETHERTYPE_ARP, ETHERTYPE_IPV6 } from '../wire/ethernet.js';
import {
  ADVERTISEMENT_BYTES,
  emitAdvertisement,
  type NeighbourSolicitation,
  parseSolicitation,
} from '../wire/neighbour.js';

interface Question {
  /** Canonical text of the address that is asked for. */
  readonly target: string;
  /** 4 or 16 bytes: the asker's own address. */
  readonly asker: Uint8Array;
}

export type NeighbourQuestion =
  | (Question & { readonly kind: 'arp'; readonly request: ArpMessage })
  | (Question & { readonly kind: 'solicitation'; readonly solicitation: NeighbourSolicitation });

/** Undefined where what the frame carries is no question, or not a valid one. */
export function parseQuestion(
  ethertype: number,
  payload: Uint8Array,
): NeighbourQuestion | undefined {
  if (ethertype === ETHERTYPE_ARP) {
    const request = parseArp(payload, 0);
    if (request?.operation !== ARP_REQUEST) return undefined;
    return {
      kind: 'arp',
      target: request.target.text,
      asker: request.sender.bytes,
      request,
    };
  }
  const solicitation = ethertype === ETHERTYPE_IPV6 ? parseSolicitation(payload, 0) : undefined;
  if (!solicitation) return undefined;
  const target = addressFromBytes(solicitation.target, 0, 6).text;
  return { kind: 'solicitation', target, asker: solicitation.source, solicitation };
}

/** What goes into the frame that answers: the target is at `mac`. */
export function answerQuestion(
  question: NeighbourQuestion,
  mac: Mac,
): { readonly ethertype: number; readonly payload: Uint8Array } {
  switch (question.kind) {
    case 'arp': {
      const { sender, senderMac, target } = question.request;
      const payload = new Uint8Array(ARP_BYTES);
      emitArp(payload, 0, {
        operation: ARP_REPLY,
        senderMac: mac,
        sender: target,
        targetMac: senderMac,
        target: sender,
      });
      return { ethertype: ETHERTYPE_ARP, payload };
    }
    case 'solicitation': {
      const { source, target } = question.solicitation;
      const payload = new Uint8Array(ADVERTISEMENT_BYTES);
      emitAdvertisement(payload, 0, {
        source: target,
        destination: source,
        target,
        targetMac: mac,
        isSolicited: true,
        isOverride: true,
      });
      return { ethertype: ETHERTYPE_IPV6, payload };
    }
  }
}
