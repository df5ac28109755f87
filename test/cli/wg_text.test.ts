import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { statusDocument } from '../../src/api/status.js';
import { toHex } from '../../src/base/bytes.js';
import { formatWgFile } from '../../src/cli/wg_text.js';
import { statusSource } from '../support/status.js';
import { key } from '../support/uapi.js';

const test = suite('cli/wg_text');

const PEER = `public_key=${toHex(key(7))}
preshared_key=${toHex(key(0x12))}
protocol_version=1
endpoint=192.0.2.7:51820
last_handshake_time_sec=0
last_handshake_time_nsec=0
rx_bytes=1
tx_bytes=2
persistent_keepalive_interval=25
allowed_ip=10.77.0.2/32
allowed_ip=fd77::2/128
`;
const SILENT = `public_key=${toHex(key(8))}
preshared_key=${toHex(key(0))}
persistent_keepalive_interval=0
`;
const END = 'errno=0\n\n';

test('file: what wg takes as settings, the rest in comments', () => {
  const device = `private_key=${toHex(key(0x42))}\nlisten_port=51821\nfwmark=51820\n`;
  const status = statusDocument(statusSource());
  assert.is(
    formatWgFile(device + PEER + SILENT + END, status),
    `# heddle0, as it runs; lines with # are for wg-quick or to know
[Interface]
PrivateKey = QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI=
ListenPort = 51821
FwMark = 0xca6c
# Address = 10.77.0.1/24
# MTU = 1420

# beta
[Peer]
PublicKey = BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=
PresharedKey = EhISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhI=
AllowedIPs = 10.77.0.2/32, fd77::2/128
Endpoint = 192.0.2.7:51820
PersistentKeepalive = 25

[Peer]
PublicKey = CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=
`,
  );
});

test('file: what there is not is not said', () => {
  const text = formatWgFile(END, statusDocument(statusSource([])));
  assert.is(
    text,
    `# heddle0, as it runs; lines with # are for wg-quick or to know
[Interface]
ListenPort = 0
# Address = 10.77.0.1/24
# MTU = 1420
`,
  );
});

test('file: peers in the clear are comments, whatever their names', () => {
  const document = statusDocument(statusSource());
  const peers = ['x\n[Peer]', 'y'].flatMap((name) =>
    document.peers.map((peer) => {
      const clear = { encapsulation: 'vxlan', vni: 7, publicKey: null } as const;
      return { ...peer, ...clear, name };
    }),
  );
  const text = formatWgFile(END, { ...document, peers });
  const block = text.slice(text.indexOf('\n\n') + 2).trimEnd();
  const named = block.split('\n').filter((line) => line !== '');
  assert.equal(
    named,
    ['x\\u{a}[Peer]', 'y'].flatMap((name) => [
      `# ${name}: in the clear, which only heddle has`,
      '# encapsulation: vxlan, VNI 7',
      '# endpoint: 192.0.2.7:51820',
      '# allowed ips: 10.77.0.2/32, fd77::2/128, 10.8.0.0/16',
    ]),
  );
});

test('file: a peer behind VXLAN says so, and one of zeros is one', () => {
  const document = statusDocument(statusSource());
  const peers = document.peers.map((peer) => {
    return { ...peer, encapsulation: 'vxlan-sealed', vni: 9 } as const;
  });
  assert.match(
    formatWgFile(PEER + END, { ...document, peers }),
    '# beta\n# encapsulation: vxlan-sealed, VNI 9, which only heddle has\n[Peer]\n',
  );
  const zeros = `public_key=${'00'.repeat(32)}\n`;
  assert.match(formatWgFile(zeros + END, document), `\nPublicKey = ${'A'.repeat(43)}=\n`);
});

test.run();
