import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseInterfaceAddress } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { type Addon, loadAddon } from '../../src/io/native.js';
import { Netlink } from '../../src/io/netlink.js';
import { TunFile } from '../../src/io/tun.js';
import { equalBytes } from '../support/bytes.js';
import { ipv4, ipv4Udp } from '../support/inner_packets.js';
import { skip } from '../support/skip.js';

const tun = suite('tun');

/** Documentation addresses (RFC 5737): no host has them in use. */
const OURS = '198.51.100.1';
const THEIRS = '198.51.100.2';

function addonHere(): Addon {
  try {
    return loadAddon();
  } catch {
    skip('the native addon is not built: run "npm run build"');
  }
}

/** A device that is up and has OURS; skips where that is not allowed. */
function openDevice() {
  const addon = addonHere();
  const opened = addon.openTun('', true);
  if (typeof opened === 'number') skip(`no TUN device here: ${addon.errnoName(-opened)}`);
  const netlink = new Netlink(addon);
  const link = present(netlink.linkByName(opened.name), 'the device is a link');
  const file = new TunFile(addon, opened);
  netlink.setLink(link, { mtu: 1400, isUp: true });
  netlink.addAddress(link.index, present(parseInterfaceAddress(`${OURS}/24`), 'an address'));
  return { file, netlink, name: opened.name };
}

function openTunDescriptors(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === '/dev/net/tun';
    } catch {
      return false;
    }
  }).length;
}

tun('tun: reads what the host sends into the interface, packet by packet', async () => {
  const { file, netlink } = openDevice();
  const socket = createSocket('udp4');
  try {
    const packets: Uint8Array[] = [];
    const both = new Promise<void>((resolve) => {
      file.start((packet) => {
        if (packet[0] !== 0x45 || packet[9] !== 17 || packet[19] !== 2) return;
        packets.push(packet);
        if (packets.length === 2) resolve();
      });
    });
    socket.send(Uint8Array.of(1, 2, 3), 7, THEIRS);
    socket.send(new Uint8Array(1372).fill(9), 7, THEIRS);
    await both;
    const sizes = packets.map((packet) => packet.length).sort((a, b) => a - b);
    assert.equal(sizes, [31, 1400]);
    const small = packets.find((packet) => packet.length === 31);
    equalBytes(small?.subarray(28), Uint8Array.of(1, 2, 3));
  } finally {
    socket.close();
    file.close(netlink);
  }
});

tun('tun: what is written reaches the host', async () => {
  const { file, netlink } = openDevice();
  const socket = createSocket('udp4');
  try {
    socket.bind(0, OURS);
    await once(socket, 'listening');
    const arrived = once(socket, 'message');
    const way = { source: THEIRS, destination: OURS, port: socket.address().port };
    assert.ok(file.write(ipv4Udp(way, [4, 5, 6])));
    const [datagram, from] = await arrived;
    equalBytes(datagram, Uint8Array.of(4, 5, 6));
    assert.is(from.address, THEIRS);
  } finally {
    socket.close();
    file.close(netlink);
  }
});

tun('tun: says when the device does not take a packet', () => {
  const { file, netlink } = openDevice();
  try {
    assert.not(file.write(new Uint8Array(0)), 'nothing');
    assert.not(file.write(Uint8Array.of(0x15, 0, 0, 0)), 'a nibble that is no IP version');
  } finally {
    file.close(netlink);
  }
  assert.not(file.write(ipv4()), 'closed');
});

tun('tun: close ends the read that waits, and leaves no device and no descriptor', async () => {
  const before = openTunDescriptors();
  const { file, netlink, name } = openDevice();
  file.start(() => {});
  assert.is(openTunDescriptors(), before + 1);
  file.close(netlink);
  file.close(netlink);
  assert.is(netlink.linkByName(name), undefined);
  for (let turn = 0; openTunDescriptors() > before; turn++) {
    assert.ok(turn < 1000, 'the read ended');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
});

tun('tun: closes a device that nobody reads', () => {
  const before = openTunDescriptors();
  const { file, netlink } = openDevice();
  file.close(netlink);
  assert.is(openTunDescriptors(), before);
});

tun.run();
