/** Pairs of heddle whose two ends know many peers, or own many prefixes; traffic is with one. */

import { dirname, join } from 'node:path';
import { toBase64 } from '../src/base/bytes.js';
import { fetchStatus } from '../src/cli/client.js';
import { SystemRandom } from '../src/io/entropy.js';
import { HeddleEnd, type KeyPair, type LabPeer, makeKeyPair } from '../test/interop/tunnels.js';
import type { Lab } from '../test/support/netns.js';
import { INNER, makeHosts, OUTER, PORT, type Subject, waitForAnswer } from './subject.js';

export interface Size {
  /** At least one. */
  readonly peers: number;
  /** Of the peer that is there, besides its own address; the others have one each. */
  readonly prefixes: number;
}

export interface SizedTunnel {
  readonly size: Size;
  readonly subject: Subject;
}

const PUBLIC_KEY_BYTES = 32;

export async function startSized(lab: Lab, label: string, size: Size): Promise<SizedTunnel> {
  const hosts = makeHosts(lab, label);
  const keys = { near: makeKeyPair(), far: makeKeyPair() };
  const start = (own: 'near' | 'far'): Promise<HeddleEnd> => {
    const other = own === 'near' ? 'far' : 'near';
    return HeddleEnd.start(lab, hosts[own], {
      interface: 'hd0',
      listenPort: PORT,
      privateKey: keys[own].privateKey,
      addresses: [`${INNER[own]}/24`],
      peers: [peerThere(other, keys[other], size), ...peersElsewhere(size.peers - 1)],
    });
  };
  const ends = await Promise.all([start('near'), start('far')]);
  const pids = ends.map(({ child }) => child.pid).filter((pid) => pid !== undefined);
  await waitForAnswer(hosts, INNER.far);
  const folder = dirname(ends[1].file);
  const folders = {
    state: join(folder, 'state'),
    run: join(folder, 'run'),
    wireguard: join(folder, 'wg'),
  };
  const subject: Subject = {
    id: label,
    title: `${size.peers} peers, ${size.prefixes} prefixes`,
    version: '',
    ...hosts,
    farAddress: INNER.far,
    pids,
    delivered: async () => Number((await fetchStatus(folders)).counters.inner_out ?? 0),
  };
  return { size, subject };
}

function peerThere(name: 'near' | 'far', keys: KeyPair, { prefixes }: Size): LabPeer {
  const more = [...Array(prefixes - 1).keys()].map((i) => {
    return `100.${i >> 9}.${(i >> 1) & 255}.${(i & 1) * 128}/25`;
  });
  return {
    name,
    publicKey: keys.publicKey,
    endpoint: `${OUTER[name]}:${PORT}`,
    allowedIps: [`${INNER[name]}/32`, ...more],
  };
}

/** With keys that nobody holds the other half of. */
function peersElsewhere(count: number): LabPeer[] {
  const random = new SystemRandom();
  return [...Array(count).keys()].map((i) => ({
    name: `p${i}`,
    publicKey: toBase64(random.bytes(PUBLIC_KEY_BYTES)),
    allowedIps: [`10.${80 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}/32`],
  }));
}
