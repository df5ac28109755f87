import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Endpoint } from '../../src/base/address.js';
import { peerSlot } from '../../src/base/identifiers.js';
import type { Drop } from '../../src/datapath/drop.js';
import type { ClearPort } from '../../src/encap/encapsulation.js';
import { HandError } from '../../src/io/hand.js';
import { ReferencePorts } from '../../src/io/reference_ports.js';
import { UdpPort } from '../../src/io/udp.js';
import { equalBytes } from '../support/bytes.js';
import { endpoint } from '../support/parsed.js';

const test = suite('reference ports');

interface Arrived {
  readonly datagram: Uint8Array;
  readonly source: Endpoint;
  readonly arrival: ClearPort | undefined;
}

/** Open ports and what came in; `next` waits for one more. */
function openPorts(listenPort = 0) {
  const failed: { reason: Drop; peer: number | undefined }[] = [];
  const waiting: Arrived[] = [];
  let arrived: () => void = () => {};
  const ports = new ReferencePorts(listenPort, {
    received: (datagram, source, arrival) => {
      waiting.push({ datagram, source, arrival });
      arrived();
    },
    sendFailed: (reason, peer) => failed.push({ reason, peer }),
  });
  const next = async (): Promise<Arrived> => {
    for (;;) {
      const first = waiting.shift();
      if (first) return first;
      await new Promise<void>((resolve) => {
        arrived = resolve;
      });
    }
  };
  return { ports, failed, next };
}

type Scene = ReturnType<typeof openPorts>;

async function withTwo(body: (left: Scene, right: Scene) => Promise<void>): Promise<void> {
  const [left, right] = [openPorts(), openPorts()];
  try {
    await body(left, right);
  } finally {
    left.ports.close();
    right.ports.close();
  }
}

/** A port number that nobody has just now, in both families. */
function freePort(): number {
  const port = UdpPort.open(0, { received: () => {}, sendFailed: () => {} });
  port.close();
  return port.port;
}

function local(port: number, host = '127.0.0.1'): Endpoint {
  return endpoint(`${host}:${port}`);
}

function thrownBy(body: () => void): unknown {
  try {
    body();
  } catch (error) {
    return error;
  }
  return undefined;
}

for (const host of ['127.0.0.1', '[::1]']) {
  test(`reference ports: each says where a datagram arrived, over ${host}`, async () => {
    await withTwo(async (left, right) => {
      const [vxlan, udp] = [freePort(), freePort()];
      right.ports.setClearPorts([
        { port: vxlan, kind: 'vxlan' },
        { port: udp, kind: 'udp' },
      ]);
      const kinds: (ClearPort | undefined)[] = [];
      for (const port of [right.ports.listenPort, vxlan, udp]) {
        left.ports.send(local(port, host), Uint8Array.of(1, 2, 3));
        const { datagram, source, arrival } = await right.next();
        equalBytes(datagram, Uint8Array.of(1, 2, 3));
        assert.is(source.port, left.ports.listenPort);
        kinds.push(arrival);
      }
      const expected = [undefined, { port: vxlan, kind: 'vxlan' }, { port: udp, kind: 'udp' }];
      assert.equal(kinds, expected);
    });
  });
}

test('reference ports: bare packets leave from the clear port, VXLAN from one a flow', async () => {
  await withTwo(async (left, right) => {
    const port = freePort();
    left.ports.setClearPorts([{ port, kind: 'vxlan' }]);
    // The clear port of both ends is the same, so the other one is at another address.
    const to = local(right.ports.listenPort);
    const fromFlow = async (flow: number): Promise<number> => {
      left.ports.send(to, Uint8Array.of(1), { via: { kind: 'vxlan', flow } });
      return (await right.next()).source.port;
    };
    assert.is(await fromFlow(5), await fromFlow(5));
    const used = new Set<number>();
    for (let flow = 0; flow < 8; flow++) used.add(await fromFlow(flow));
    assert.is(used.size, 4);
    assert.not(used.has(port) || used.has(left.ports.listenPort));
    left.ports.send(local(port), Uint8Array.of(2), { via: { kind: 'udp', flow: 0 } });
    const { source, arrival } = await left.next();
    assert.equal([source.port, arrival?.port], [port, port]);
  });
});

test('reference ports: what would leave by a clear port that is closed is a failure', async () => {
  await withTwo(async (left) => {
    const peer = peerSlot(3);
    for (const kind of ['udp', 'vxlan'] as const) {
      left.ports.send(local(9), Uint8Array.of(1), { peer, via: { kind, flow: 0 } });
    }
    assert.equal(left.failed, [
      { reason: 'send_failed', peer },
      { reason: 'send_failed', peer },
    ]);
  });
});

test('reference ports: a clear port that is missing from the next list is free again', async () => {
  await withTwo(async (left, right) => {
    const [first, second] = [freePort(), freePort()];
    left.ports.setClearPorts([{ port: first, kind: 'vxlan' }]);
    left.ports.setClearPorts([
      { port: second, kind: 'udp' },
      { port: second, kind: 'udp' },
    ]);
    right.ports.setClearPorts([{ port: first, kind: 'udp' }]);
    left.ports.send(local(first), Uint8Array.of(1));
    assert.equal((await right.next()).arrival, { port: first, kind: 'udp' });
    left.ports.setClearPorts([]);
    right.ports.setClearPorts([{ port: second, kind: 'vxlan' }]);
  });
});

test('reference ports: a port that stays keeps what waits in it, whatever it is for', async () => {
  await withTwo(async (left, right) => {
    const port = freePort();
    right.ports.setClearPorts([{ port, kind: 'vxlan' }]);
    left.ports.send(local(port), Uint8Array.of(1));
    right.ports.setClearPorts([{ port, kind: 'udp' }]);
    assert.equal((await right.next()).arrival, { port, kind: 'udp' });
  });
});

test('reference ports: where one is taken nothing changes', async () => {
  await withTwo(async (left, right) => {
    const [kept, free] = [freePort(), freePort()];
    left.ports.setClearPorts([{ port: kept, kind: 'vxlan' }]);
    const taken = right.ports.listenPort;
    const error = thrownBy(() =>
      left.ports.setClearPorts([
        { port: free, kind: 'vxlan' },
        { port: taken, kind: 'udp' },
      ]),
    );
    assert.ok(error instanceof HandError);
    assert.is(error.code, 'EADDRINUSE');
    right.ports.send(local(kept), Uint8Array.of(1));
    assert.equal((await left.next()).arrival, { port: kept, kind: 'vxlan' });
    right.ports.setClearPorts([{ port: free, kind: 'udp' }]);
  });
});

test('reference ports: the listen port moves, and what waited at the old one arrives', async () => {
  await withTwo(async (left, right) => {
    const before = left.ports.listenPort;
    for (let i = 0; i < 100; i++) right.ports.send(local(before), Uint8Array.of(i));
    left.ports.setListenPort(0);
    assert.is.not(left.ports.listenPort, before);
    const arrived: (number | undefined)[] = [];
    for (let i = 0; i < 100; i++) arrived.push((await left.next()).datagram[0]);
    assert.equal(
      arrived,
      Array.from({ length: 100 }, (_, i) => i),
    );
    right.ports.send(local(left.ports.listenPort), Uint8Array.of(7));
    assert.is((await left.next()).arrival, undefined);
    left.ports.send(local(right.ports.listenPort), Uint8Array.of(8));
    assert.is((await right.next()).source.port, left.ports.listenPort);
    await freed(before);
  });
});

test('reference ports: a listen port that is taken is an error; the old one stays', async () => {
  await withTwo(async (left, right) => {
    const before = left.ports.listenPort;
    const error = thrownBy(() => left.ports.setListenPort(right.ports.listenPort));
    assert.ok(error instanceof HandError);
    assert.is(left.ports.listenPort, before);
    left.ports.setListenPort(before);
    right.ports.send(local(before), Uint8Array.of(1));
    await left.next();
  });
});

/** Waits until the port can be bound: whoever left it has closed it. */
async function freed(port: number): Promise<void> {
  const silent = { received: () => {}, sendFailed: () => {} };
  for (let turn = 0; turn < 1000; turn++) {
    if (thrownBy(() => UdpPort.open(port, silent).close()) === undefined) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error(`Port ${port} was never closed`);
}

test.run();
