import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { emitNetwork, parseNetwork } from '../../src/identity/network.js';
import { networkBody } from '../support/identity_samples.js';
import { NOW, prefix } from '../support/identity_scene.js';
import { checkBody } from '../support/record_body.js';

const test = suite('identity/network');

test('network: random bodies come back, and parts of them are nothing', () => {
  checkBody('network', { make: networkBody, parse: parseNetwork, emit: emitNetwork });
});

test('network: a pool that is too small, or of IPv6, is none', () => {
  for (const text of ['10.0.0.0/25', '10.0.0.0/32', 'fd00::/24']) {
    const body = emitNetwork({ createdAt: NOW, name: 'lab', pool: prefix(text) });
    assert.is(parseNetwork(body), undefined, text);
  }
});

test.run();
