import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { emitMessage, HEADER_BYTES, TYPE } from '../../src/wire/netlink.js';
import { emitRule, formatRule, parseRule, type Rule } from '../../src/wire/netlink_rule.js';
import { address } from '../support/parsed.js';

const test = suite('netlink rule');

/** What each says, as ip-rule(8) would. */
const ROWS: readonly (readonly [text: string, rule: Rule])[] = [
  ['IPv4 5: from all lookup 254', { family: 4, priority: 5, table: 254 }],
  ['IPv6 0: from all lookup 51820', { family: 6, priority: 0, table: 51_820 }],
  [
    'IPv4 9: not from all fwmark 0xca6c lookup 51820',
    { family: 4, priority: 9, table: 51_820, notMark: 51_820 },
  ],
  [
    'IPv6 9: from all lookup 254 suppress_prefixlength 0',
    { family: 6, priority: 9, table: 254, suppressDefault: true },
  ],
  [
    'IPv4 7: from 192.0.2.1 goto 9',
    { family: 4, priority: 7, goto: 9, from: address('192.0.2.1') },
  ],
  [
    'IPv6 7: from 2001:db8::1 goto 9',
    { family: 6, priority: 7, goto: 9, from: address('2001:db8::1') },
  ],
  ['IPv4 9: from all iif hd0 nop', { family: 4, priority: 9, incoming: 'hd0' }],
];

/** The body of a message about the rule. */
function bodyOf(rule: Rule, protocol = 104): Uint8Array {
  const { fixed, attributes } = emitRule(rule, protocol);
  const message = emitMessage({ type: TYPE.newRule, flags: 0 }, fixed, attributes);
  return message.slice(HEADER_BYTES);
}

test('rule: what was emitted is parsed, with who made it', () => {
  for (const [text, rule] of ROWS) {
    assert.equal(parseRule(bodyOf(rule)), { rule, protocol: 104, isDetached: false }, text);
  }
  assert.is(parseRule(bodyOf({ family: 4, table: 1 }, 3))?.protocol, 3);
});

test('rule: reads as ip-rule(8) would have it, differently for different rules', () => {
  for (const [text, rule] of ROWS) assert.is(formatRule(rule), text);
  assert.is(formatRule({ family: 4, table: 254 }), 'IPv4 first: from all lookup 254');
});

test('rule: the flag of an interface that is not there', () => {
  const body = bodyOf({ family: 4, priority: 9, incoming: 'hd0' });
  body[8] = (body[8] ?? 0) | 8;
  assert.is(parseRule(body)?.isDetached, true);
});

test('rule: a network is no address to be from', () => {
  const body = bodyOf({ family: 4, table: 1, from: address('192.0.2.0') });
  body[2] = 24;
  assert.is(parseRule(body)?.rule.from, undefined);
});

test('rule: what is cut off, or of another family, is read as far as it goes', () => {
  for (const [text, rule] of ROWS) {
    const body = bodyOf(rule);
    for (let length = 0; length < body.length; length++) {
      const found = parseRule(body.subarray(0, length));
      assert.is(found !== undefined, length >= 12, `${text}: ${length} bytes`);
    }
    body[0] = 7;
    assert.is(parseRule(body), undefined);
  }
});

test.run();
