import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { prefixOf } from '../../src/base/address.js';
import { nodeId } from '../../src/base/identifiers.js';
import { covers } from '../../src/ipam/overlap.js';
import { overlayAddress, overlayPrefix } from '../../src/ipam/overlay6.js';

const test = suite('ipam/overlay6');

const NETWORK = nodeId('00112233445566ff');

test('overlay: a network has a unique local prefix of 48 bits', () => {
  const own = overlayPrefix(NETWORK);
  assert.match(own.text, /^fd[0-9a-f]{2}:[0-9a-f]{1,4}:[0-9a-f]{1,4}::\/48$/);
  assert.is(overlayPrefix(NETWORK).text, own.text);
  assert.is.not(overlayPrefix(nodeId('00112233445566fe')).text, own.text);
});

test('overlay: a node has its id behind subnet 0 of the prefix', () => {
  const address = overlayAddress(overlayPrefix(NETWORK), nodeId('a1b2c3d4e5f60718'));
  assert.match(address.text, /^fd[0-9a-f:]+:0:a1b2:c3d4:e5f6:718$/);
  assert.ok(covers(overlayPrefix(NETWORK), prefixOf(address, 128)));
});

test.run();
