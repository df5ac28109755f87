import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { peerSlot } from '../../src/base/identifiers.js';
import { after, instant, millis, seconds } from '../../src/base/time.js';
import { REFUSAL_BURST, Refusals } from '../../src/datapath/refusals.js';
import { emitUnreachable } from '../../src/datapath/unreachable.js';
import { equalBytes } from '../support/bytes.js';
import { ipv4, ipv6 } from '../support/inner_packets.js';
import { createConnectedRig, createRig, packets, PEER } from '../support/walk_rig.js';

const refusals = suite('refusals');

const START = instant(5_000_000);

refusals('refusals: a burst, then one every ten milliseconds, then a burst again', () => {
  const about = new Refusals();
  const count = (tries: number, now: typeof START): number =>
    [...Array(tries)].filter(() => about.about(ipv4(), now)).length;
  assert.is(count(80, START), REFUSAL_BURST);
  assert.is(count(2, after(START, millis(9.999))), 0);
  assert.is(count(2, after(START, millis(10))), 1);
  assert.is(count(9, after(START, millis(40))), 3);
  assert.is(count(80, after(START, seconds(9))), REFUSAL_BURST);
});

refusals('refusals: what may not be answered costs nothing', () => {
  const about = new Refusals();
  const multicast = ipv4({ destination: '224.0.0.1' });
  for (let i = 0; i < 80; i++) assert.is(about.about(multicast, START), undefined);
  assert.ok(about.about(ipv6(), START));
});

refusals('refusals: who sends to nobody, or to a peer that nobody can find, is told', () => {
  const rig = createRig();
  const nobodys = ipv4({ destination: '203.0.113.9' });
  const [told, ...others] = packets(rig.packet(nobodys));
  assert.is(others.length, 0);
  equalBytes(told, emitUnreachable(nobodys));
  const hidden = peerSlot(9);
  rig.write({ kind: 'addPeer', peer: hidden });
  rig.insert('203.0.113.0/24', hidden);
  equalBytes(packets(rig.packet(nobodys))[0], emitUnreachable(nobodys));
  assert.equal(rig.drops(), { no_route: 1, no_endpoint: 1 });
  assert.is(rig.counters().refusals, 2);
  assert.is(rig.counters().inner_out, undefined);
});

refusals('refusals: nobody is told about other drops', () => {
  const rig = createConnectedRig();
  rig.insert('0.0.0.0/0', PEER);
  assert.equal(packets(rig.packet(new Uint8Array(30))), []);
  assert.equal(packets(rig.packet(new Uint8Array(0))), []);
  assert.is(rig.counters().refusals, undefined);
});

refusals.run();
