/** Who turned src_valid_mark on, as its number says, in a namespace of the test's own. */

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { turnOffValidMark, turnOnValidMark } from '../../src/io/valid_mark.js';
import { ownNamespace } from '../support/own_namespace.js';

const test = suite('io/valid_mark');
const alone = ownNamespace(test, import.meta.url);

const PATH = '/proc/sys/net/ipv4/conf/all/src_valid_mark';
const read = (): string => readFileSync(PATH, 'utf8').trim();

alone('valid mark: goes on and off again, each once', () => {
  assert.is(read(), '0');
  assert.is(turnOnValidMark(), true);
  assert.is.not(read(), '0');
  assert.is(turnOnValidMark(), false, 'it is on');
  assert.is(turnOffValidMark(), true);
  assert.is(read(), '0');
  assert.is(turnOffValidMark(), false, 'it is off');
});

alone('valid mark: what the host turned on stays on', () => {
  writeFileSync(PATH, '1');
  assert.is(turnOnValidMark(), false);
  assert.is(turnOffValidMark(), false);
  assert.is(read(), '1');
  writeFileSync(PATH, '0');
  turnOnValidMark();
  writeFileSync(PATH, '1');
  assert.is(turnOffValidMark(), false, 'somebody else wants it since');
  assert.is(read(), '1');
});

alone('valid mark: on, marked answers pass a strict reverse path filter', () => {
  // Ours is the value 104: the kernel must take it for "on" as it takes 1.
  const ip = (words: string): string => execFileSync('ip', words.split(' '), { encoding: 'utf8' });
  ip('link add under type veth peer name far');
  ip('link set under up');
  ip('link set far up');
  ip('addr add 192.0.2.1/24 dev under');
  ip('route add 198.51.100.0/24 dev under table 77');
  ip('rule add fwmark 5 table 77');
  writeFileSync('/proc/sys/net/ipv4/conf/all/rp_filter', '1');
  const ask = 'route get 192.0.2.1 from 198.51.100.9 iif under mark 5';
  assert.throws(() => ip(ask), /invalid|cross/i, 'without');
  turnOnValidMark();
  assert.match(ip(ask), /local 192\.0\.2\.1/);
});

test.run();
