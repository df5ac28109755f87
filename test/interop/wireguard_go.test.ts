import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ip, Lab, type LabHost, requireTools, waitUntil } from '../support/netns.js';
import { Capture } from './capture.js';
import {
  HeddleEnd,
  type LabTunnel,
  makeKeyPair,
  makePresharedKey,
  WireguardEnd,
} from './tunnels.js';

/** Every combination takes a few seconds, and there are 24. */
export const timeLimitSeconds = 60;

const PATTERN = 'ec70a6d05f1e4b8a9d3c27b1';
const UNDERLAY = {
  v4: ['192.0.2.1', '192.0.2.2'],
  v6: ['2001:db8:9::1', '2001:db8:9::2'],
} as const;
const INNER = { heddle: '10.77.0.1', wireguard: '10.77.0.2' };

const TOOLS = {
  'wireguard-go': 'wireguard-go',
  wg: 'wireguard-tools',
  ping: 'iputils-ping',
  tcpdump: 'tcpdump',
};

const interop = suite('wireguard-go');

interface Case {
  readonly role: 'initiator' | 'responder';
  readonly outer: 'v4' | 'v6';
  readonly hasPresharedKey: boolean;
  readonly mtu: number;
  readonly datapath: 'native' | 'reference';
}

let number = 0;
for (const role of ['initiator', 'responder'] as const) {
  for (const outer of ['v4', 'v6'] as const) {
    for (const hasPresharedKey of [false, true]) {
      for (const mtu of [1280, 1420, 9000]) {
        const tested = { role, outer, hasPresharedKey, mtu, datapath: 'native' } as const;
        const key = hasPresharedKey ? 'with' : 'without';
        interop(`heddle as ${role} over IP${outer}, ${key} preshared key, MTU ${mtu}`, () =>
          tryCombination(tested),
        );
      }
    }
  }
}

for (const role of ['initiator', 'responder'] as const) {
  const tested = { role, outer: 'v4', hasPresharedKey: true, mtu: 1420 } as const;
  interop(`heddle's reference hand as ${role}`, () =>
    tryCombination({ ...tested, datapath: 'reference' }),
  );
}

async function tryCombination(tested: Case): Promise<void> {
  requireTools(TOOLS);
  const lab = new Lab();
  try {
    const [near, far] = [lab.host('a'), lab.host('b')];
    const ends = UNDERLAY[tested.outer].map((each) => `${each}/${tested.outer === 'v4' ? 24 : 64}`);
    const [nearAddress = '', farAddress = ''] = ends;
    lab.link(
      'under',
      [
        [near, [nearAddress]],
        [far, [farAddress]],
      ],
      { mtu: 9100 },
    );
    const capture = await Capture.start(lab, near, 'under');
    const tunnels = configurations(tested);
    const heddle = await HeddleEnd.start(lab, near, tunnels.heddle);
    const wireguard = await WireguardEnd.start(lab, far, tunnels.wireguard);

    const [first, second] = tested.role === 'initiator' ? [near, far] : [far, near];
    const target = (from: LabHost): string => (from === near ? INNER.wireguard : INNER.heddle);
    await ping(first, target(first), 56);
    await ping(second, target(second), 56);
    // As large as the tunnel carries, not to be fragmented inside.
    await ping(first, target(first), tested.mtu - 28);
    await ping(second, target(second), tested.mtu - 28);

    await countersAgree(heddle, wireguard);
    const { counters } = await heddle.status();
    const inJavaScript = counters.packet_to_javascript ?? Number.NaN;
    assert.is(inJavaScript > 0, tested.datapath === 'reference');
    await nothingInPlaintext(capture);
  } finally {
    lab.remove();
  }
}

interop('each follows the other to a new address and port (WG-6)', async () => {
  requireTools(TOOLS);
  const lab = new Lab();
  try {
    const [near, far] = [lab.host('a'), lab.host('b')];
    lab.link('under', [
      [near, ['192.0.2.1/24']],
      [far, ['192.0.2.2/24']],
    ]);
    const tested = { role: 'initiator', outer: 'v4', mtu: 1420, datapath: 'native' } as const;
    const tunnels = configurations({ ...tested, hasPresharedKey: true });
    const heddle = await HeddleEnd.start(lab, near, tunnels.heddle);
    const wireguard = await WireguardEnd.start(lab, far, tunnels.wireguard);
    await ping(near, INNER.wireguard, 56);
    ip(near, 'addr', 'add', '192.0.2.7/24', 'dev', 'under');
    ip(near, 'addr', 'del', '192.0.2.1/24', 'dev', 'under');
    // A first address that is taken away takes those of its prefix along.
    ip(near, 'addr', 'replace', '192.0.2.7/24', 'dev', 'under');
    await ping(near, INNER.wireguard, 56);
    const seen = await far.must(['wg', 'show', wireguard.interface, 'endpoints']);
    assert.match(seen, /\t192\.0\.2\.7:51820\n/);
    await ping(far, INNER.heddle, 56);
    await far.must(['wg', 'set', wireguard.interface, 'listen-port', '51999']);
    await ping(far, INNER.heddle, 56);
    assert.is((await heddle.peer()).endpoint, '192.0.2.2:51999');
    await ping(near, INNER.wireguard, 56);
  } finally {
    lab.remove();
  }
});

function configurations(tested: Case): { heddle: LabTunnel; wireguard: LabTunnel } {
  const [ours, theirs] = [makeKeyPair(), makeKeyPair()];
  const psk = tested.hasPresharedKey ? { presharedKey: makePresharedKey() } : {};
  const [near, far] = UNDERLAY[tested.outer];
  const at = (host: string): string =>
    tested.outer === 'v4' ? `${host}:51820` : `[${host}]:51820`;
  // Only the initiator knows where the other is.
  const toFar = tested.role === 'initiator' ? { endpoint: at(far) } : {};
  const toNear = tested.role === 'responder' ? { endpoint: at(near) } : {};
  const shared = { listenPort: 51820, mtu: tested.mtu };
  return {
    heddle: {
      ...shared,
      interface: 'hd0',
      datapath: tested.datapath,
      privateKey: ours.privateKey,
      addresses: [`${INNER.heddle}/24`],
      peers: [
        { publicKey: theirs.publicKey, allowedIps: [`${INNER.wireguard}/32`], ...toFar, ...psk },
      ],
    },
    wireguard: {
      ...shared,
      interface: `wg${process.pid % 100_000}x${number++}`,
      privateKey: theirs.privateKey,
      addresses: [`${INNER.wireguard}/24`],
      peers: [{ publicKey: ours.publicKey, allowedIps: [`${INNER.heddle}/32`], ...toNear, ...psk }],
    },
  };
}

/** One echo that must come back within a second. */
async function ping(from: LabHost, to: string, bytes: number): Promise<void> {
  const options = ['-c', '1', '-W', '1', '-M', 'do', '-s', String(bytes), '-p', PATTERN];
  const { code, stdout } = await from.run(['ping', ...options, to]);
  assert.is(code, 0, `${bytes} bytes from ${from.name} to ${to}: ${stdout}`);
}

/**
 * What one end sent is what the other received, to the byte, handshakes and keepalives included.
 */
async function countersAgree(heddle: HeddleEnd, wireguard: WireguardEnd): Promise<void> {
  let difference = '';
  await waitUntil('the byte counters agree', 2_000, async () => {
    const ours = await heddle.peer();
    const theirs = await wireguard.transfer();
    difference = JSON.stringify({ ours, theirs });
    return ours.txBytes === theirs.rxBytes && ours.rxBytes === theirs.txBytes && ours.rxBytes > 0;
  }).catch((error: Error) => {
    throw new Error(`${error.message}: ${difference}`);
  });
}

async function nothingInPlaintext(capture: Capture): Promise<void> {
  const bytes = await capture.stop();
  assert.ok(bytes.length > 4 * 1280, `the capture holds only ${bytes.length} bytes`);
  assert.is(bytes.indexOf(Buffer.from(PATTERN, 'hex')), -1, 'the payload crossed in the clear');
  const addresses = Buffer.from([10, 77, 0, 1, 10, 77, 0, 2]);
  assert.is(bytes.indexOf(addresses), -1, 'the inner header crossed in the clear');
}

interop.run();
