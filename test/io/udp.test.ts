import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Endpoint } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import type { Drop } from '../../src/datapath/drop.js';
import { HandError } from '../../src/io/hand.js';
import { sendDrop, UdpPort } from '../../src/io/udp.js';
import { equalBytes } from '../support/bytes.js';
import { endpoint } from '../support/parsed.js';

const udp = suite('udp');

/** A port and what comes in; `next` waits for one more. */
function openPort(port = 0) {
  const received: { datagram: Uint8Array; source: Endpoint }[] = [];
  const failed: Drop[] = [];
  let arrived: () => void = () => {};
  const opened = UdpPort.open(port, {
    received: (datagram, source) => {
      received.push({ datagram, source });
      arrived();
    },
    sendFailed: (reason) => {
      failed.push(reason);
      arrived();
    },
  });
  const next = () =>
    new Promise<void>((resolve) => {
      arrived = resolve;
    });
  return { port: opened, received, failed, next };
}

function thrownBy(body: () => unknown): unknown {
  try {
    body();
  } catch (error) {
    return error;
  }
  return undefined;
}

for (const host of ['127.0.0.1', '[::1]']) {
  udp(`udp: carries datagrams over ${host}, and says where they come from`, async () => {
    const [left, right] = [openPort(), openPort()];
    try {
      left.port.send(endpoint(`${host}:${right.port.port}`), Uint8Array.of(1, 2, 3));
      await right.next();
      const [arrived] = right.received;
      equalBytes(arrived?.datagram, Uint8Array.of(1, 2, 3));
      assert.is(arrived?.source.text, `${host}:${left.port.port}`);
      right.port.send(present(arrived, 'arrived').source, new Uint8Array(1500).fill(7));
      await left.next();
      equalBytes(left.received[0]?.datagram, new Uint8Array(1500).fill(7));
      assert.equal([left.failed, right.failed], [[], []]);
    } finally {
      left.port.close();
      right.port.close();
    }
  });
}

udp('udp: has one port number for both families', async () => {
  const { port } = openPort();
  try {
    for (const type of ['udp4', 'udp6'] as const) {
      const other = createSocket({ type, ipv6Only: type === 'udp6' });
      other.bind({ port: port.port, exclusive: true });
      const [error] = await once(other, 'error');
      assert.is(error.code, 'EADDRINUSE', type);
      other.close();
    }
  } finally {
    port.close();
  }
});

udp('udp: says which port is taken, and what to do', async () => {
  const { port } = openPort();
  const error = thrownBy(() => openPort(port.port));
  port.close();
  assert.ok(error instanceof HandError);
  assert.is(error.code, 'EADDRINUSE');
  assert.match(error.message, `Open UDP port ${port.port}: EADDRINUSE; another program has`);
});

udp('udp: leaves no socket behind when IPv6 has the port taken', async () => {
  const other = createSocket({ type: 'udp6', ipv6Only: true });
  other.bind({ port: 0, exclusive: true });
  await once(other, 'listening');
  const { port } = other.address();
  const error = thrownBy(() => openPort(port));
  assert.instance(error, HandError);
  other.close();
  await once(other, 'close');
  const again = openPort(port);
  again.port.close();
});

udp('udp: tells a failed send by its reason, and goes on', async () => {
  const { port, failed, next } = openPort();
  try {
    port.send(endpoint('127.0.0.1:9'), new Uint8Array(65_508));
    await next();
    assert.equal(failed, ['send_too_big']);
  } finally {
    port.close();
  }
});

udp('udp: sends nothing to port 0, which anybody can claim to come from', async () => {
  const { port, failed } = openPort();
  try {
    port.send({ ...endpoint('127.0.0.1:9'), port: 0 }, new Uint8Array(1));
    assert.equal(failed, ['send_unreachable']);
  } finally {
    port.close();
  }
});

udp('udp: closes twice, and sends nothing after', async () => {
  const { port, failed } = openPort();
  port.close();
  port.close();
  port.send(endpoint('127.0.0.1:9'), new Uint8Array(1));
  assert.equal(failed, ['send_failed']);
});

udp('udp: names every errno of a send as one of the closed drop reasons (row 47)', () => {
  for (const [code, reason] of [
    ['ENOBUFS', 'send_no_buffer'],
    ['EAGAIN', 'send_no_buffer'],
    ['ENETUNREACH', 'send_unreachable'],
    ['EHOSTUNREACH', 'send_unreachable'],
    ['EADDRNOTAVAIL', 'send_unreachable'],
    ['EPERM', 'send_refused'],
    ['ECONNREFUSED', 'send_refused'],
    ['EMSGSIZE', 'send_too_big'],
    ['EIO', 'send_failed'],
    [undefined, 'send_failed'],
  ] as const) {
    assert.is(sendDrop(code), reason, code);
  }
});

udp.run();
