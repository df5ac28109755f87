/** Both ways of the native hand to seal and open, compared at every length. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { addonHere } from '../support/twin.js';

const aead = suite('twin aead');

aead('twin aead: assembly and EVP seal and open the same at every length', () => {
  assert.is(addonHere().compareAeadBackends(2048), '');
});

aead.run();
