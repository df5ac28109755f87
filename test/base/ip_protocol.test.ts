import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as protocol from '../../src/base/ip_protocol.js';

const test = suite('base/ip_protocol');

test('ip_protocol: the numbers are those of IANA', () => {
  assert.equal(
    { ...protocol },
    {
      PROTOCOL_HOP_BY_HOP: 0,
      PROTOCOL_ICMP: 1,
      PROTOCOL_TCP: 6,
      PROTOCOL_UDP: 17,
      PROTOCOL_ROUTING: 43,
      PROTOCOL_FRAGMENT: 44,
      PROTOCOL_AUTHENTICATION: 51,
      PROTOCOL_ICMPV6: 58,
      PROTOCOL_NO_NEXT: 59,
      PROTOCOL_DESTINATION: 60,
      PROTOCOL_MOBILITY: 135,
      PROTOCOL_HIP: 139,
      PROTOCOL_SHIM6: 140,
    },
  );
});

test.run();
