/**
 * A reference walk with two clear peers: VXLAN from PEER, who owns 10.0.0.2 and fd00::2, and bare
 * packets from OTHER, who owns 10.0.0.3 and fd00::3. We are 10.0.0.1 and fd00::1.
 */

import type { Endpoint } from '../../src/base/address.js';
import { type Instant, NEVER } from '../../src/base/time.js';
import type { ClearEncapsulation } from '../../src/encap/encapsulation.js';
import { type FrameOptions, vxlanFrame } from './frames.js';
import { address, endpoint, mac } from './parsed.js';
import { OTHER, PEER, WalkRig } from './walk_rig.js';

/** Twelve digits each: ours, PEER's, and those of two more peers' VTEPs. */
export const OUR_MAC = '02005e000001';
export const PEER_MAC = '02005e000002';
export const THIRD_MAC = '02005e000004';

export const VXLAN_PORT = { kind: 'vxlan', port: 4789 } as const;
export const UDP_PORT = { kind: 'udp', port: 8285 } as const;
/** Where PEER's datagrams come from: any port of its address. */
export const FROM_PEER: Endpoint = endpoint('192.0.2.1:50123');
export const FROM_OTHER: Endpoint = endpoint('[2001:db8::1]:8285');

export const VXLAN: ClearEncapsulation & { kind: 'vxlan' } = {
  kind: 'vxlan',
  endpoint: endpoint('192.0.2.1:4789'),
  vni: 4096,
  mac: mac('02:00:5e:00:00:02'),
  until: NEVER,
};

export const UDP: ClearEncapsulation & { kind: 'udp' } = {
  kind: 'udp',
  endpoint: endpoint('[2001:db8::1]:8285'),
  until: NEVER,
};

export function createClearRig(until: Instant = NEVER): WalkRig {
  const rig = new WalkRig();
  rig.write({ kind: 'setVtepMac', mac: mac('02:00:5e:00:00:01') });
  const addresses = ['10.0.0.1', 'fd00::1'].map(address);
  rig.write({ kind: 'setOwnAddresses', addresses });
  for (const peer of [PEER, OTHER]) rig.write({ kind: 'addPeer', peer });
  rig.insert('10.0.0.2/32', PEER);
  rig.insert('fd00::2/128', PEER);
  rig.insert('10.0.0.3/32', OTHER);
  rig.insert('fd00::3/128', OTHER);
  rig.write({ kind: 'setEncapsulation', peer: PEER, encapsulation: { ...VXLAN, until } });
  rig.write({ kind: 'setEncapsulation', peer: OTHER, encapsulation: { ...UDP, until } });
  return rig;
}

/** A frame from PEER to us, right in everything that is not changed. */
export function frameFromPeer(
  payload: Uint8Array,
  changes: Partial<FrameOptions> = {},
): Uint8Array {
  const ethertype = (payload[0] ?? 0) >> 4 === 6 ? 0x86dd : 0x0800;
  const right = { vni: 4096, destination: OUR_MAC, source: PEER_MAC, ethertype };
  return vxlanFrame({ ...right, ...changes }, payload);
}
