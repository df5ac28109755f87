import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat, storeLe16, storeLe32 } from '../../src/base/bytes.js';
import { emitMessage, HEADER_BYTES, TYPE } from '../../src/wire/netlink.js';
import {
  emitRoute,
  parseLeastMtu,
  parseRouteKeys,
  type Route,
  RTA,
  RTAX_MTU,
  routeKey,
  routeTable,
} from '../../src/wire/netlink_route.js';
import { prefix } from '../support/parsed.js';

const test = suite('netlink route');

const OURS = { protocol: 104, interfaceIndex: 3 };

function route(text: string, changes: Partial<Route> = {}): Route {
  return { prefix: prefix(text), interfaceIndex: 3, ...changes };
}

const ROUTES: readonly Route[] = [
  route('10.0.0.0/8'),
  route('10.0.0.0/9'),
  route('10.0.0.0/8', { table: 100 }),
  route('0.0.0.0/0', { table: 51_820 }),
  route('10.1.2.3/32'),
];
const ROUTES6: readonly Route[] = [
  route('fd00::/8'),
  route('::/0', { table: 51_820 }),
  route('fd00::1/128'),
  route('fd00:0:0:1::/64'),
];

function messageOf(each: Route, protocol = 104): Uint8Array {
  const { fixed, attributes } = emitRoute(each, protocol);
  return emitMessage({ type: TYPE.newRoute, flags: 0 }, fixed, attributes);
}

test('route: the keys of a dump are those of its routes, and each has its own', () => {
  for (const routes of [ROUTES, ROUTES6]) {
    const keys = parseRouteKeys(concat(...routes.map((each) => messageOf(each))), OURS);
    assert.equal(keys, new Set(routes.map(routeKey)));
    assert.is(keys.size, routes.length);
  }
});

test('route: others’ and those to other interfaces do not count', () => {
  const dump = concat(
    messageOf(route('10.0.0.0/8'), 3),
    messageOf(route('10.0.0.0/8', { interfaceIndex: 4 })),
    messageOf(route('10.9.0.0/16')),
  );
  assert.equal(parseRouteKeys(dump, OURS), new Set([routeKey(route('10.9.0.0/16'))]));
});

/** A route with these metrics. */
function measured(each: Route, ...metrics: readonly (readonly [number, number])[]): Uint8Array {
  const { fixed, attributes } = emitRoute(each, 4);
  const value = concat(
    ...metrics.map(([type, number]) => {
      const metric = new Uint8Array(8);
      storeLe16(metric, 0, 8);
      storeLe16(metric, 2, type);
      storeLe32(metric, 4, number);
      return metric;
    }),
  );
  const nested = { type: RTA.metrics, value };
  return emitMessage({ type: TYPE.newRoute, flags: 0 }, fixed, [nested, ...attributes]);
}

test('route: of those to the interface, whoever made them, the least MTU is found', () => {
  const others = measured(route('10.1.0.0/16', { interfaceIndex: 4 }), [RTAX_MTU, 900]);
  const rows: readonly [readonly Uint8Array[], number][] = [
    [[], 0],
    [[messageOf(route('10.0.0.0/8')), others], 0],
    [[measured(route('10.0.0.0/8'), [RTAX_MTU, 1299])], 1299],
    [[measured(route('fd00::/8'), [3, 700], [RTAX_MTU, 1300]), others], 1300],
    [[measured(route('10.0.0.0/8'), [3, 700])], 0],
    [
      [
        measured(route('10.0.0.0/8'), [RTAX_MTU, 1400]),
        measured(route('10.2.0.0/16'), [RTAX_MTU, 1280]),
        measured(route('10.3.0.0/16'), [RTAX_MTU, 1300]),
      ],
      1280,
    ],
  ];
  for (const [messages, least] of rows) {
    const dump = concat(...messages);
    assert.is(parseLeastMtu(dump, 3), least);
    for (let length = 0; length < dump.length; length++) parseLeastMtu(dump.slice(0, length), 3);
  }
});

test('route: the table is read, also one whose number does not fit in a byte', () => {
  for (const table of [254, 51_820]) {
    const body = messageOf(route('10.0.0.0/8', { table })).slice(HEADER_BYTES);
    assert.is(routeTable(body), table);
  }
  assert.is(routeTable(new Uint8Array(12)), 0);
});

test('route: a dump that is cut off, or lies about its lengths, is read as far as it goes', () => {
  const dump = concat(...ROUTES6.map((each) => messageOf(each)));
  for (let length = 0; length < dump.length; length++) {
    assert.ok(parseRouteKeys(dump.subarray(0, length), OURS).size < ROUTES6.length);
  }
  for (let at = 0; at < dump.length; at++) {
    const lying = dump.slice();
    lying[at] = 0xff;
    assert.ok(parseRouteKeys(lying, OURS).size <= ROUTES6.length);
  }
});

test.run();
