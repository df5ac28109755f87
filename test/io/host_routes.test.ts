import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Family } from '../../src/base/address.js';
import { HostRoutes } from '../../src/io/host_routes.js';
import { NetlinkError } from '../../src/io/netlink.js';
import { type Route, routeKey } from '../../src/wire/netlink_route.js';
import { prefix } from '../support/parsed.js';

const test = suite('io/host_routes');

const UP = { index: 3, isUp: true };
const DOWN = { index: 3, isUp: false };
const route = (text: string) => ({ prefix: prefix(text) });
const [TEN, EIGHT, SIX] = [route('10.0.0.0/8'), route('8.0.0.0/8'), route('fd00::/8')];
const TABLE = { prefix: prefix('0.0.0.0/0'), table: 51_820 };

class Kernel {
  readonly there = new Map<string, Route>();
  readonly refuses = new Map<string, string>();
  dumps = 0;
  /** How it is said that a route is not there. */
  absence = 'ESRCH';

  addRoutes(routes: readonly Route[]): void {
    const [error] = this.addEachRoute(routes).values();
    if (!error) return;
    this.deleteRoutes(routes);
    throw error;
  }

  addEachRoute(routes: readonly Route[]): Map<Route, NetlinkError> {
    const refused = new Map<Route, NetlinkError>();
    for (const each of routes) {
      assert.is(each.interfaceIndex, UP.index);
      const code = this.refuses.get(each.prefix.text);
      if (code === undefined) this.there.set(this.#key(each), each);
      else refused.set(each, new NetlinkError(`Add ${each.prefix.text}`, code));
    }
    return refused;
  }

  deleteRoutes(routes: readonly Route[]): Map<Route, NetlinkError> {
    const gone = routes.filter((each) => !this.there.delete(this.#key(each)));
    return new Map(gone.map((each) => [each, new NetlinkError('Delete', this.absence)]));
  }

  ownRoutes(family: Family): Set<string> {
    this.dumps++;
    const own = [...this.there.values()].filter((each) => each.prefix.address.family === family);
    return new Set(own.map(routeKey));
  }

  texts(): string[] {
    return [...this.there.values()].map((each) => each.prefix.text).sort();
  }

  #key(each: Route): string {
    return `${each.prefix.address.family} ${routeKey(each)}`;
  }
}

function scene() {
  const kernel = new Kernel();
  return { kernel, routes: new HostRoutes(kernel) };
}

test('routes: are added once, and only those that are unwanted are deleted', () => {
  const { kernel, routes } = scene();
  assert.equal(routes.add(UP, [TEN, SIX, TABLE], []), [TEN, TABLE, SIX]);
  assert.equal(routes.add(UP, [TEN, SIX, TABLE, EIGHT], []), [EIGHT]);
  routes.keepOnly(UP.index, [SIX, EIGHT]);
  assert.equal(kernel.texts(), ['8.0.0.0/8', 'fd00::/8']);
  routes.keepOnly(UP.index, []);
  assert.equal(kernel.texts(), []);
});

test('routes: one that is refused takes all of the call along', () => {
  const { kernel, routes } = scene();
  routes.add(UP, [TEN], []);
  kernel.refuses.set('fd00::/8', 'EEXIST');
  assert.throws(() => routes.add(UP, [EIGHT, SIX], []), /EEXIST/);
  assert.equal(kernel.texts(), ['10.0.0.0/8']);
});

test('routes: a host without IPv6 gets the others', () => {
  const { kernel, routes } = scene();
  kernel.refuses.set('fd00::/8', 'EACCES');
  const skipped: string[] = [];
  assert.equal(routes.add(UP, [TEN, SIX], skipped), [TEN]);
  assert.is(skipped.length, 1);
  assert.equal(routes.repair(UP.index), { count: 0, refusals: [] });
});

test('routes: on an interface that is down they wait until it is up', () => {
  const { kernel, routes } = scene();
  assert.equal(routes.add(DOWN, [TEN, SIX], []), [TEN, SIX]);
  assert.equal(kernel.texts(), []);
  assert.equal(routes.repair(UP.index), { count: 2, refusals: [] });
  assert.equal(kernel.texts(), ['10.0.0.0/8', 'fd00::/8']);
});

test('routes: one that is gone already is no fault, another refusal is', () => {
  const { kernel, routes } = scene();
  routes.add(UP, [TEN, EIGHT], []);
  kernel.there.clear();
  routes.keepOnly(UP.index, [EIGHT]);
  kernel.absence = 'EPERM';
  assert.throws(() => routes.keepOnly(UP.index, []), /EPERM/);
});

test('routes: what is missing is added again, after one dump of a family that has any', () => {
  const { kernel, routes } = scene();
  routes.add(UP, [TEN, EIGHT], []);
  assert.equal(routes.repair(UP.index), { count: 0, refusals: [] });
  assert.is(kernel.dumps, 1);
  kernel.there.clear();
  kernel.refuses.set('8.0.0.0/8', 'EEXIST');
  const { count, refusals } = routes.repair(UP.index);
  assert.is(count, 1);
  assert.match(refusals.join(), /^Add 8\.0\.0\.0\/8: EEXIST/);
});

test.run();
