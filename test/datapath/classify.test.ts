import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { classify, flowHash, innerLength, isSameFlow } from '../../src/datapath/classify.js';
import { changed } from '../support/bytes.js';
import { innerIpv4, ipv4, ipv6, tcp, udp } from '../support/inner_packets.js';
import { withSeed } from '../support/seed.js';

const classifying = suite('classify');

/** ::ffff:10.0.0.2 */
const MAPPED = [...new Array<number>(10).fill(0), 0xff, 0xff, 10, 0, 0, 2];

function withAddress(at: number, address: readonly number[]): Uint8Array {
  const packet = ipv6({ bytes: 100 });
  packet.set(address, at);
  return packet;
}

const LENGTHS: readonly [why: string, packet: Uint8Array, length: number][] = [
  ['a whole IPv4 packet', ipv4({ bytes: 100 }), 100],
  ['an IPv4 header alone', ipv4({ bytes: 20 }), 20],
  ['padding behind an IPv4 packet', changed(ipv4({ bytes: 100 }), 3, 90), 90],
  ['an IPv4 packet that lacks its end', changed(ipv4({ bytes: 100 }), 3, 101), 0],
  ['an IPv4 header with options', changed(ipv4({ bytes: 100 }), 0, 0x46), 100],
  ['a whole IPv6 packet', ipv6({ bytes: 100 }), 100],
  ['an IPv6 header alone', ipv6({ bytes: 40 }), 40],
  ['padding behind an IPv6 packet', changed(ipv6({ bytes: 100 }), 5, 50), 90],
  ['an IPv6 packet that lacks its end', changed(ipv6({ bytes: 100 }), 5, 61), 0],
  ['an IPv6 packet from an IPv4-mapped address', withAddress(8, MAPPED), 0],
  ['an IPv6 packet to an IPv4-mapped address', withAddress(24, MAPPED), 0],
  ['one from an address that is almost mapped', changed(withAddress(8, MAPPED), 19, 0xfe), 100],
  ['one from an address mapped elsewhere', changed(withAddress(8, MAPPED), 8, 1), 100],
  ['nothing', new Uint8Array(0), 0],
  ['version 5', changed(ipv4(), 0, 0x55), 0],
];

for (const [why, packet, length] of LENGTHS) {
  classifying(`classify: ${why} is ${length} long`, () => {
    assert.is(innerLength(packet), length);
  });
}

classifying('classify: truncated at any length, a packet is not whole', () => {
  for (const packet of [ipv4({ bytes: 60 }), ipv6({ bytes: 80 })]) {
    for (let length = 0; length < packet.length; length++) {
      assert.is(innerLength(packet.slice(0, length)), 0, `${length} bytes`);
    }
  }
});

classifying('classify: never says longer than there is, whatever the bytes', () => {
  withSeed('classify', (random) => {
    for (let i = 0; i < 20_000; i++) {
      const packet = random.bytes(random.below(120));
      if (packet.length > 0) packet[0] = random.below(2) === 0 ? 0x45 : 0x60;
      if (packet.length > 5) packet[2] = packet[4] = 0;
      const length = innerLength(packet);
      assert.ok(length <= packet.length);
      if (length > 0) classify(packet.subarray(0, length));
    }
  });
});

for (const family of [4, 6] as const) {
  const header = family === 4 ? 20 : 40;

  classifying(`classify: finds ports and payload of TCP over IPv${family}`, () => {
    const { transport } = classify(tcp({ family, sourcePort: 1, destinationPort: 2, options: 12 }));
    assert.equal(transport, {
      protocol: 6,
      sourcePort: 1,
      destinationPort: 2,
      at: header,
      payloadAt: header + 32,
    });
  });

  classifying(`classify: finds ports and payload of UDP over IPv${family}`, () => {
    const { transport } = classify(udp({ family, sourcePort: 3, destinationPort: 4 }));
    assert.equal(transport, {
      protocol: 17,
      sourcePort: 3,
      destinationPort: 4,
      at: header,
      payloadAt: header + 8,
    });
  });

  classifying(`classify: a transport header over IPv${family} that is not whole is none`, () => {
    const packet = tcp({ family, payload: 0 });
    assert.ok(classify(packet).transport);
    assert.is(classify(changed(packet, header + 12, 0x60)).transport, undefined, 'too long');
    assert.is(classify(changed(packet, header + 12, 0x40)).transport, undefined, 'too short');
    const datagram = udp({ family, payload: 10 });
    assert.is(classify(changed(datagram, header + 5, 17)).transport, undefined, 'short of it');
    assert.is(classify(changed(datagram, header + 5, 19)).transport, undefined, 'past it');
  });
}

const WITHOUT_PORTS: readonly [why: string, packet: Uint8Array][] = [
  ['another protocol', ipv4()],
  ['a first fragment', changed(tcp({ family: 4 }), 6, 0x20)],
  ['a later fragment', changed(tcp({ family: 4 }), 7, 1)],
  ['IPv4 options', innerIpv4(6, new Uint8Array(40), { words: 6 })],
  ['an IPv6 extension header', changed(tcp({ family: 6 }), 6, 60)],
];

for (const [why, packet] of WITHOUT_PORTS) {
  classifying(`classify: ${why} has no ports`, () => {
    assert.is(classify(packet).transport, undefined);
  });
}

classifying('classify: don’t-fragment is no fragment', () => {
  assert.ok(classify(changed(tcp({ family: 4 }), 6, 0x40)).transport);
});

classifying('classify: a flow is its direction, hosts, protocol and ports', () => {
  const flow = classify(tcp({ family: 4, sourcePort: 1, destinationPort: 2 }));
  const same = tcp({ family: 4, sourcePort: 1, destinationPort: 2, sequence: 9, payload: 3 });
  assert.ok(isSameFlow(flow, classify(same)));
  const others = [
    tcp({ family: 4, sourcePort: 2, destinationPort: 1 }),
    tcp({ family: 4, sourcePort: 1, destinationPort: 3 }),
    udp({ family: 4, sourcePort: 1, destinationPort: 2 }),
    tcp({ family: 6, sourcePort: 1, destinationPort: 2 }),
    changed(same, 15, 77),
    changed(same, 19, 77),
    ipv4(),
  ];
  for (const other of others) assert.not(isSameFlow(flow, classify(other)));
});

classifying('classify: a flow has one hash in all its packets, and another one back', () => {
  for (const family of [4, 6] as const) {
    const flow = { family, sourcePort: 1, destinationPort: 2 };
    const hash = flowHash(tcp(flow));
    assert.is(flowHash(tcp({ ...flow, sequence: 9, payload: 300, tos: 4 })), hash);
    const others = [
      tcp({ ...flow, sourcePort: 2, destinationPort: 1 }),
      tcp({ ...flow, destinationPort: 3 }),
      udp(flow),
    ];
    for (const other of others) assert.is.not(flowHash(other), hash);
  }
});

classifying('classify: all fragments of a packet have one hash', () => {
  const first = changed(udp({ family: 4, payload: 64 }), 6, 0x20);
  const later = changed(changed(udp({ family: 4, payload: 64 }), 7, 4), 20, 77);
  assert.is(flowHash(first), flowHash(later));
});

classifying.run();
