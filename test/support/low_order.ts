/**
 * The X25519 public keys of low order: with each, every private key gives the zero secret (RFC 7748
 * §6.1). The seven that https://cr.yp.to/ecdh.html#validate lists, little-endian: the points of
 * order 1, 2, 4 and 8, and the same not reduced.
 */

import { present } from '../../src/base/assert.js';
import { fromHex } from '../../src/base/bytes.js';

export const LOW_ORDER_KEYS: readonly (readonly [name: string, key: Uint8Array])[] = [
  ['zero', '00'.repeat(32)],
  ['one', `01${'00'.repeat(31)}`],
  ['of order 8', 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'],
  ['of order 8, other', '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'],
  ['p - 1', `ec${'ff'.repeat(30)}7f`],
  ['p', `ed${'ff'.repeat(30)}7f`],
  ['p + 1', `ee${'ff'.repeat(30)}7f`],
].map(([name = '', hex = '']) => [name, present(fromHex(hex), 'hexadecimal')] as const);
