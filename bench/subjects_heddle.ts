/** heddle in its forms: the two ciphers, the two VXLANs, and the path in TypeScript. */

import { dirname, join } from 'node:path';
import { fetchStatus } from '../src/cli/client.js';
import { HeddleEnd, type LabPeer, type LabTunnel, makeKeyPair } from '../test/interop/tunnels.js';
import { waitUntil } from '../test/support/netns.js';
import {
  type Hosts,
  INNER,
  OUTER,
  PORT,
  type Subject,
  type SubjectSpec,
  type Surroundings,
  waitForAnswer,
} from './subject.js';

interface Form {
  readonly id: string;
  readonly title: string;
  readonly peer: Partial<LabPeer>;
  /** What the figures are of: a form that speaks something else is left out. */
  readonly cipher: 'aes-256-gcm' | 'chacha20-poly1305' | null;
  readonly datapath?: 'native' | 'reference';
}

const FORMS: readonly Form[] = [
  { id: 'heddle_aes', title: 'heddle AES', peer: { protocol: 'heddle' }, cipher: 'aes-256-gcm' },
  { id: 'heddle_chacha', title: 'heddle ChaCha', peer: {}, cipher: 'chacha20-poly1305' },
  {
    id: 'heddle_vxlan_sealed',
    title: 'heddle vxlan-sealed',
    peer: { encapsulation: 'vxlan-sealed' },
    cipher: 'chacha20-poly1305',
  },
  {
    id: 'heddle_vxlan',
    title: 'heddle vxlan, clear',
    peer: { encapsulation: 'vxlan' },
    cipher: null,
  },
  {
    id: 'heddle_reference',
    title: 'heddle in TypeScript',
    peer: {},
    cipher: 'chacha20-poly1305',
    datapath: 'reference',
  },
];

/** Hellos are exchanged soon after a handshake. */
const AGREE_LIMIT_MS = 5_000;
const VXLAN_PORT = 4789;
const MACS = { near: '02:00:5e:00:53:01', far: '02:00:5e:00:53:02' };

export const HEDDLES: readonly SubjectSpec[] = FORMS.map((form) => ({
  id: form.id,
  title: form.title,
  start: (hosts, around) => start(form, hosts, around),
}));

async function start(form: Form, hosts: Hosts, around: Surroundings): Promise<Subject> {
  const keys = { near: makeKeyPair(), far: makeKeyPair() };
  const tunnel = (own: 'near' | 'far'): LabTunnel => {
    const other = own === 'near' ? 'far' : 'near';
    const isClear = form.peer.encapsulation === 'vxlan';
    return {
      interface: 'hd0',
      listenPort: PORT,
      privateKey: keys[own].privateKey,
      vtepMac: MACS[own],
      addresses: [`${INNER[own]}/24`],
      ...(form.datapath === undefined ? {} : { datapath: form.datapath }),
      peers: [
        {
          name: other,
          endpoint: `${OUTER[other]}:${isClear ? VXLAN_PORT : PORT}`,
          allowedIps: [`${INNER[other]}/32`],
          ...(isClear ? { vtepMac: MACS[other] } : { publicKey: keys[other].publicKey }),
          ...form.peer,
        },
      ],
    };
  };
  const ends = [
    await HeddleEnd.start(around.lab, hosts.near, tunnel('near')),
    await HeddleEnd.start(around.lab, hosts.far, tunnel('far')),
  ];
  await waitForAnswer(hosts, INNER.far);
  const folder = dirname(ends[1]?.file ?? '');
  const folders = {
    state: join(folder, 'state'),
    run: join(folder, 'run'),
    wireguard: join(folder, 'wg'),
  };
  await waitUntil(`it speaks ${form.cipher ?? 'in the clear'}`, AGREE_LIMIT_MS, async () => {
    return (await fetchStatus(folders)).peers[0]?.cipher === form.cipher;
  });
  return {
    id: form.id,
    title: form.title,
    version: around.heddleVersion,
    ...hosts,
    farAddress: INNER.far,
    pids: ends.map(({ child }) => child.pid).filter((pid) => pid !== undefined),
    delivered: async () => Number((await fetchStatus(folders)).counters.inner_out ?? 0),
  };
}
