/**
 * Which peers a change of the underlay does not concern: the address that we speak to them from is
 * still the host's, and the way to them still leads out where that address is. Such a peer is not
 * to hear from another address, which its NAT would not let in.
 */

import type { Address } from '../base/address.js';
import type { PeerSlot } from '../base/identifiers.js';
import type { Netlink } from '../io/netlink.js';
import type { PeerSnapshot } from '../node/snapshot.js';

/** Each is a question to the kernel; peers past it hear from us anew. */
const MOST_WAYS = 1024;

export function unaffectedPeers(
  peers: readonly Pick<PeerSnapshot, 'slot' | 'endpoint'>[],
  netlink: Pick<Netlink, 'addresses' | 'lookUpRoute'>,
  mark: number,
): Set<PeerSlot> {
  const ours = new Set(
    netlink.addresses().map((each) => placeText(each.address.address, each.interfaceIndex)),
  );
  const unaffected = new Set<PeerSlot>();
  let asked = 0;
  for (const { slot, endpoint } of peers) {
    if (!endpoint?.local || asked === MOST_WAYS) continue;
    const { address, interfaceIndex } = endpoint.local;
    if (!ours.has(placeText(address, interfaceIndex))) continue;
    asked++;
    const way = netlink.lookUpRoute(endpoint.address, mark);
    if (way?.interfaceIndex === interfaceIndex) unaffected.add(slot);
  }
  return unaffected;
}

function placeText({ text }: Address, interfaceIndex: number): string {
  return `${interfaceIndex} ${text}`;
}
