import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { present } from '../../src/base/assert.js';
import { answerQuestion, parseQuestion } from '../../src/datapath/neighbour_question.js';
import { equalBytes } from '../support/bytes.js';
import { arp, ipv6Hex, neighbour } from '../support/frames.js';
import { ipv6 } from '../support/inner_packets.js';
import { mac } from '../support/parsed.js';
import { hex } from '../support/vectors.js';

const test = suite('neighbour question');

const ARP = 0x0806;
const IPV6 = 0x86dd;
const OURS = mac('02:00:5e:00:00:01');
const REQUEST = { senderMac: '0200000000ee', sender: '10.0.0.2', target: '10.0.0.1' };

test('neighbour question: ARP asks from an IPv4 address, and is answered in kind', () => {
  const question = present(parseQuestion(ARP, arp(REQUEST)), 'it asks');
  assert.is(question.target, '10.0.0.1');
  equalBytes(question.asker, Uint8Array.of(10, 0, 0, 2));
  const { ethertype, payload } = answerQuestion(question, OURS);
  assert.is(ethertype, ARP);
  const [senderMac, targetMac] = ['02005e000001', '0200000000ee'];
  const reply = { operation: 2, senderMac, sender: '10.0.0.1', targetMac, target: '10.0.0.2' };
  equalBytes(payload, arp(reply));
});

test('neighbour question: a solicitation asks from an IPv6 address, and is answered', () => {
  const asked = neighbour({ source: ipv6Hex(2), target: ipv6Hex(1) });
  const question = present(parseQuestion(IPV6, asked), 'it asks');
  assert.is(question.target, 'fd00::1');
  equalBytes(question.asker, hex(ipv6Hex(2)));
  const { ethertype, payload } = answerQuestion(question, OURS);
  assert.is(ethertype, IPV6);
  const expected = neighbour({
    type: 136,
    flags: 0x60,
    source: ipv6Hex(1),
    destination: ipv6Hex(2),
    target: ipv6Hex(1),
    options: hex('020102005e000001'),
  });
  equalBytes(payload, expected);
});

test('neighbour question: whatever does not ask, or says to be something else, is none', () => {
  const solicitation = neighbour({ source: ipv6Hex(2), target: ipv6Hex(1) });
  assert.is(parseQuestion(ARP, arp({ ...REQUEST, operation: 2 })), undefined);
  assert.is(parseQuestion(ARP, solicitation), undefined);
  assert.is(parseQuestion(IPV6, arp(REQUEST)), undefined);
  assert.is(parseQuestion(0x0800, arp(REQUEST)), undefined);
  assert.is(parseQuestion(IPV6, ipv6()), undefined);
  assert.is(parseQuestion(IPV6, new Uint8Array(0)), undefined);
});

test.run();
