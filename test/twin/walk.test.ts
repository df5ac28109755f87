/** The reference walk against the native one, step by step, over random lives of two hosts. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { WALK_COUNTERS } from '../../src/datapath/counters.js';
import { DROPS } from '../../src/datapath/drop.js';
import { ipv4 } from '../support/inner_packets.js';
import { withSeed } from '../support/seed.js';
import { withTwin } from '../support/twin.js';
import { TwinProgram } from '../support/twin_program.js';
import { ENDPOINT, handshake, keypair, PEER, sealed } from '../support/walk_rig.js';

const walk = suite('twin walk');

/** What only the shell around the reference walk counts. */
const NOT_OF_THE_WALK = [
  'packet_to_javascript',
  'send_no_buffer',
  'send_unreachable',
  'send_refused',
  'send_too_big',
  'send_failed',
  'tun_write',
];
const PROGRAMS = Number(process.env.TWIN_PROGRAMS ?? 60);
const STEPS = 400;

walk('twin walk: both hands do the same, whatever happens', () => {
  withSeed('walk', (random) => {
    const counted = new Set<string>();
    for (let program = 0; program < PROGRAMS; program++) {
      const moved = new TwinProgram(random.fork(`program ${program}`)).run(STEPS);
      for (const name of moved) counted.add(name);
    }
    const unmoved = [...WALK_COUNTERS, ...DROPS].filter((name) => !counted.has(name));
    assert.equal(unmoved, NOT_OF_THE_WALK, 'the programs reach every reason to drop');
  });
});

const RESPONDED = keypair(1, { isInitiator: false });
const NEEDED = { kind: 'sessionNeeded', peer: PEER, reason: 'staged' } as const;

walk('twin walk: a packet without a session is news again once one was sealed', () => {
  withTwin((twin) => {
    assert.equal(twin.packet(ipv4()).events, [NEEDED]);
    assert.equal(twin.packet(ipv4()).events, []);
    twin.write({ kind: 'installKeypair', peer: PEER, keypair: RESPONDED });
    twin.datagram(sealed(RESPONDED, 0n, new Uint8Array(0)), ENDPOINT);
    assert.is(twin.packet(ipv4()).datagrams.length, 1, 'sent before useKeypair');
    twin.write({ kind: 'removeKeypair', localIndex: RESPONDED.localIndex });
    assert.equal(twin.packet(ipv4()).events, [NEEDED]);
  });
});

walk('twin walk: a keypair under an index that was promoted before waits to be confirmed', () => {
  withTwin((twin) => {
    twin.write({ kind: 'installKeypair', peer: PEER, keypair: RESPONDED });
    twin.datagram(sealed(RESPONDED, 0n, new Uint8Array(0)), ENDPOINT);
    twin.write({ kind: 'removeKeypair', localIndex: RESPONDED.localIndex });
    twin.write({ kind: 'installKeypair', peer: PEER, keypair: RESPONDED });
    assert.is(twin.packet(ipv4()).datagrams.length, 0);
  });
});

walk('twin walk: a handshake tells how many wait behind it', () => {
  withTwin((twin) => {
    const { events } = twin.datagrams([handshake(1), handshake(2), handshake(3)], ENDPOINT);
    const queued = events.map((event) => event.kind === 'handshake' && event.queued);
    assert.equal(queued, [2, 1, 0]);
  });
});

walk.run();
