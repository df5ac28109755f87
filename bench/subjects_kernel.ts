/** What the kernel itself does: no tunnel at all, and its VXLAN, which seals nothing. */

import { ip, type LabHost } from '../test/support/netns.js';
import {
  deviceCount,
  type Hosts,
  INNER,
  INNER_MTU,
  OUTER,
  raise,
  type Subject,
  type SubjectSpec,
  waitForAnswer,
} from './subject.js';

/** Ethernet, IPv4 and UDP, as a veth pair counts. */
const VETH_HEADERS = 14 + 20 + 8;
/** A VXLAN device counts after Ethernet is taken off. */
const VXLAN_HEADERS = 20 + 8;
const VNI = 42;

export const BARE: SubjectSpec = {
  id: 'veth',
  title: 'bare veth',
  start: async (hosts: Hosts): Promise<Subject> => {
    await waitForAnswer(hosts, OUTER.far);
    return {
      id: 'veth',
      title: 'bare veth',
      version: '',
      ...hosts,
      farAddress: OUTER.far,
      pids: [],
      delivered: deviceCount(hosts.far, 'under', VETH_HEADERS),
    };
  },
};

export const KERNEL_VXLAN: SubjectSpec = {
  id: 'kernel_vxlan',
  title: 'kernel VXLAN',
  start: async (hosts: Hosts): Promise<Subject> => {
    addVxlan(hosts.near, 'near', 'far');
    addVxlan(hosts.far, 'far', 'near');
    await waitForAnswer(hosts, INNER.far);
    return {
      id: 'kernel_vxlan',
      title: 'kernel VXLAN',
      version: '',
      ...hosts,
      farAddress: INNER.far,
      pids: [],
      delivered: deviceCount(hosts.far, 'vx0', VXLAN_HEADERS),
    };
  },
};

function addVxlan(host: LabHost, own: 'near' | 'far', other: 'near' | 'far'): void {
  const ends = ['local', OUTER[own], 'remote', OUTER[other]];
  ip(host, 'link', 'add', 'vx0', 'type', 'vxlan', 'id', String(VNI), ...ends, 'dstport', '4789');
  raise(host, 'vx0', { address: INNER[own], mtu: INNER_MTU });
}
