import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { after, type Instant, seconds, toSeconds } from '../../src/base/time.js';
import { Attempt } from '../../src/session/attempt.js';
import { START } from '../support/session_scene.js';

const test = suite('session/attempt');

function at(offset: number): Instant {
  return after(START, seconds(offset));
}

function gaps(attempt: Attempt, isHeddle: boolean): number[] {
  return Array.from({ length: 5 }, () => toSeconds(attempt.nextGap(isHeddle)));
}

test('attempt: heddle peers are asked again after 1, 2 and 4 s, stock ones after 5 (§6.4)', () => {
  const attempt = new Attempt();
  attempt.begin('data', START);
  assert.equal(gaps(attempt, true), [1, 2, 4, 5, 5]);
  attempt.begin('data', START);
  assert.equal(gaps(attempt, true), [1, 2, 4, 5, 5], 'each attempt begins anew');
  attempt.begin('data', START);
  assert.equal(gaps(attempt, false), [5, 5, 5, 5, 5]);
});

test('attempt: initiations keep their gap, and 5 s from a response', () => {
  const attempt = new Attempt();
  assert.is(attempt.blockedUntil(START), undefined);
  attempt.begin('data', START);
  attempt.initiated(attempt.nextGap(true), START);
  assert.is(attempt.blockedUntil(at(0.9)), at(1));
  assert.is(attempt.blockedUntil(at(1)), undefined);
  attempt.end();
  attempt.begin('data', at(0.5));
  assert.is(attempt.blockedUntil(at(0.5)), at(1), 'of another attempt too');
  attempt.answered();
  assert.is(attempt.blockedUntil(at(1)), at(5), 'and longer once there is a session');
  attempt.responded(at(2));
  assert.is(attempt.blockedUntil(at(6.9)), at(7));
  attempt.forgetSent();
  assert.is(attempt.blockedUntil(at(6.9)), undefined);
});

test('attempt: it is over after 90 s, for control messages alone after 15', () => {
  const attempt = new Attempt();
  assert.not(attempt.isOver(at(100)), 'there is none');
  attempt.begin('lost', START);
  assert.ok(attempt.isLost && attempt.isUnderWay);
  assert.not(attempt.isOver(at(89.9)));
  assert.ok(attempt.isOver(at(90)));
  assert.is(attempt.giveUpAt(at(50)), at(90));
  attempt.begin('control', START);
  assert.not(attempt.isOver(at(14.9)));
  assert.ok(attempt.isOver(at(15)));
  attempt.wantedForControl(at(10));
  assert.not(attempt.isOver(at(24.9)), 'the last one has its time, too');
  assert.ok(attempt.isOver(at(25)));
  attempt.wantedForControl(at(80));
  assert.is(attempt.giveUpAt(at(80)), at(90), 'but none goes on for ever');
  attempt.wantedForData();
  assert.not(attempt.isOver(at(89.9)));
  attempt.begin('data', at(20));
  assert.not(attempt.isLost);
  assert.not(attempt.isOver(at(36)), 'what it was for is forgotten');
  attempt.end();
  assert.not(attempt.isUnderWay);
});

test.run();
