/** Addresses of tests, from their texts; a text that is none fails the test. */

import {
  type Address,
  type Endpoint,
  type Mac,
  type Prefix,
  parseAddress,
  parseEndpoint,
  parseMac,
  parsePrefix,
} from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';

export function address(text: string): Address {
  return present(parseAddress(text), `"${text}" is an address`);
}

export function endpoint(text: string): Endpoint {
  return present(parseEndpoint(text), `"${text}" is an endpoint`);
}

export function prefix(text: string): Prefix {
  return present(parsePrefix(text), `"${text}" is a prefix`);
}

export function mac(text: string): Mac {
  return present(parseMac(text), `"${text}" is an Ethernet address`);
}
