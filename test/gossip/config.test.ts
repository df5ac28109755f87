import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { GOSSIP_DEFAULTS } from '../../src/gossip/config.js';

const test = suite('gossip/config');

test('config: the defaults keep the order that they need among each other', () => {
  const { probeInterval, probeTimeout, relayTimeout, probeTimeoutFloor, lagLimit } =
    GOSSIP_DEFAULTS;
  assert.ok(probeTimeout + relayTimeout < probeInterval);
  assert.ok(probeTimeoutFloor <= probeTimeout);
  assert.ok(lagLimit < probeTimeout);
  const { retryFirst, retryLimit, compareWait, compareWaitLimit, confirmations } = GOSSIP_DEFAULTS;
  assert.ok(retryFirst < retryLimit && compareWait < compareWaitLimit);
  assert.ok(confirmations <= 7);
});

test.run();
