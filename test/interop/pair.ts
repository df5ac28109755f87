/** A near and a far heddle: their hosts, their addresses, and what each is told of the other. */

import { Lab, type LabHost, requireTools } from '../support/netns.js';
import { type LabPeer, type LabTunnel, makeKeyPair } from './tunnels.js';

export const NEAR = { inner: '10.77.0.1', inner6: 'fd77::1' };
export const FAR = { inner: '10.77.0.2', inner6: 'fd77::2' };
export const PORT = 51820;

const TOOLS = {
  ping: 'iputils-ping',
  nft: 'nftables',
  tcpdump: 'tcpdump',
  iperf3: 'iperf3',
  python3: 'python3',
};

/** Removed when `use` ends. */
export async function withLab(use: (lab: Lab) => Promise<void>): Promise<void> {
  requireTools(TOOLS);
  const lab = new Lab();
  try {
    await use(lab);
  } finally {
    lab.remove();
  }
}

/** Tunnels between a near and a far end, each with what it knows of the other. */
export function tunnels(knows: { near?: Partial<LabPeer>; far?: Partial<LabPeer> }): {
  near: LabTunnel;
  far: LabTunnel;
} {
  const [ours, theirs] = [makeKeyPair(), makeKeyPair()];
  const shared = { interface: 'hd0', listenPort: PORT, mtu: 1400 };
  const both = (end: typeof NEAR): string[] => [`${end.inner}/32`, `${end.inner6}/128`];
  return {
    near: {
      ...shared,
      privateKey: ours.privateKey,
      addresses: [`${NEAR.inner}/24`, `${NEAR.inner6}/64`],
      peers: [{ publicKey: theirs.publicKey, allowedIps: both(FAR), ...knows.near }],
    },
    far: {
      ...shared,
      privateKey: theirs.privateKey,
      addresses: [`${FAR.inner}/24`, `${FAR.inner6}/64`],
      peers: [{ publicKey: ours.publicKey, allowedIps: both(NEAR), ...knows.far }],
    },
  };
}

/** Two hosts, linked by `under`, and the addresses they have on it. */
export function neighbours(
  lab: Lab,
  nearAddresses: readonly string[],
  farAddresses: readonly string[],
): { near: LabHost; far: LabHost } {
  const [near, far] = [lab.host('n'), lab.host('f')];
  lab.link('under', [
    [near, nearAddresses],
    [far, farAddresses],
  ]);
  return { near, far };
}

/** An address and a port as an endpoint is written. */
export function at(address: string, port = PORT): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
