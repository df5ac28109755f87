/** When the host is looked at, and what comes of a look, around a host that only remembers. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { millis, seconds, toMillis } from '../../src/base/time.js';
import { HostWatch, type HostWatchParts } from '../../src/daemon/host_watch.js';
import { HandError } from '../../src/io/hand.js';
import type { Reconciled, Reconciling } from '../../src/io/host.js';
import { type Addon, NETLINK_CHANGES } from '../../src/io/native.js';
import { NetlinkError } from '../../src/io/netlink.js';
import { FakeTimers } from '../support/fake_timers.js';
import { KeptLog } from '../support/kept_log.js';

const test = suite('daemon/host_watch');

const HERE = { here: 'u', ways: new Map([['192.0.2.1', '2']]) };

const STANDING: Reconciled = {
  ...{ link: 'up', repairs: new Map(), refusals: [], underlay: HERE, routeMtu: 0 },
};

class Scene {
  readonly time = new FakeTimers();
  readonly log = new KeptLog();
  /** What the next looks find; then all stands. */
  readonly finds: (Partial<Reconciled> | Error)[] = [];
  /** When looks were made, in milliseconds since the beginning. */
  readonly looks: number[] = [];
  readonly asked: Reconciling[] = [];
  /** How long each look takes. */
  lookMs = 0;
  /** The TUN device exists, in whatever namespace. */
  hasTun = false;
  /** What the hand was told of them. */
  readonly routeMtus: number[] = [];
  reopens = 0;
  reopenFails = false;
  underlayChanges = 0;
  failures: unknown[] = [];
  isClosed = false;
  #bits = 0;
  #wake = (): void => {};

  /** The kernel tells of changes. */
  tell(bits: number): void {
    this.#bits |= bits;
    this.#wake();
  }

  open(): HostWatch {
    const started = this.time.now();
    const addon: Pick<Addon, 'netlinkWatch' | 'netlinkWatchTake' | 'netlinkWatchClose'> = {
      netlinkWatch: (wake) => {
        this.#wake = wake;
        return {} as ReturnType<Addon['netlinkWatch']>;
      },
      netlinkWatchTake: () => {
        const taken = this.#bits;
        this.#bits = 0;
        return taken;
      },
      netlinkWatchClose: () => {
        this.isClosed = true;
      },
    };
    const host: HostWatchParts['host'] = {
      interfaceName: 'hd0',
      reattach: () => {},
      reconcile: (asked = {}) => {
        this.looks.push(toMillis(millis((this.time.now() - started) / 1_000)));
        this.asked.push(asked);
        this.time.suspend(millis(this.lookMs));
        const found = this.finds.shift() ?? {};
        if (found instanceof Error) throw found;
        return { ...STANDING, ...found };
      },
    };
    const watch = new HostWatch({
      addon: addon as Addon,
      host,
      hand: {
        interfaceName: 'hd0',
        hasTun: () => this.hasTun,
        write: (write) => {
          if (write.kind === 'setRouteMtu') this.routeMtus.push(write.mtu);
        },
        reopenTun: () => {
          this.reopens++;
          if (this.reopenFails) throw new HandError('EBUSY', 'taken');
        },
      },
      log: this.log,
      now: () => this.time.now(),
      destinations: () => [],
      onUnderlayChange: () => {
        this.underlayChanges++;
      },
      fail: (error) => this.failures.push(error),
    });
    this.looks.length = 0;
    this.asked.length = 0;
    return watch;
  }
}

function during(body: (scene: Scene) => void): void {
  const scene = new Scene();
  scene.time.during(() => body(scene));
}

test('watch: a notice is followed by a look within 100 ms, a burst by one', () => {
  during((scene) => {
    scene.open();
    scene.time.run(seconds(1));
    for (let i = 0; i < 10; i++) scene.tell(NETLINK_CHANGES.address);
    scene.time.run(millis(100));
    assert.is(scene.looks.length, 1);
  });
});

test('watch: without any notice there is a look every 5 s', () => {
  during((scene) => {
    scene.open();
    scene.time.run(seconds(20));
    assert.equal(scene.looks, [5_000, 10_000, 15_000, 20_000]);
  });
});

test('watch: the hand hears of another MTU of the routes, once', () => {
  during((scene) => {
    scene.finds.push({ routeMtu: 1299 });
    scene.open();
    scene.finds.push({ routeMtu: 1299 }, { routeMtu: undefined }, {}, {}, { routeMtu: 1400 });
    scene.time.run(seconds(25));
    assert.equal(scene.routeMtus, [1299, 0, 1400]);
  });
});

test('watch: notices without end make at most four looks a second', () => {
  during((scene) => {
    scene.open();
    for (let i = 0; i < 1_000; i++) {
      scene.tell(NETLINK_CHANGES.route);
      scene.time.run(millis(10));
    }
    assert.ok(scene.looks.length <= 41, `${scene.looks.length} looks in 10 s`);
    assert.ok(scene.looks.length >= 35);
  });
});

test('watch: looks that take long take a fifth of the time at most', () => {
  during((scene) => {
    scene.open();
    scene.lookMs = 500;
    for (let i = 0; i < 2_000; i++) {
      scene.tell(NETLINK_CHANGES.route);
      scene.time.run(millis(10));
    }
    assert.ok(scene.looks.length <= 14, `${scene.looks.length} looks of 0.5 s`);
  });
});

test('watch: routes that take long to read are read after a notice, else once a minute', () => {
  during((scene) => {
    scene.lookMs = 500;
    scene.open();
    scene.tell(NETLINK_CHANGES.link);
    scene.time.run(seconds(40));
    const [first, ...others] = scene.asked.map(({ skipRoutes }) => skipRoutes);
    assert.is(first, false);
    assert.ok(others.length > 3 && others.every((skips) => skips), 'then they are skipped');
    scene.tell(NETLINK_CHANGES.rule);
    scene.time.run(seconds(5));
    assert.is(scene.asked.at(-1)?.skipRoutes, true, 'rules are no routes');
    scene.asked.length = 0;
    scene.time.run(seconds(60));
    assert.is(scene.asked.filter(({ skipRoutes }) => !skipRoutes).length, 1);
  });
});

test('watch: repairs are counted by kind, and said', () => {
  during((scene) => {
    const watch = scene.open();
    scene.finds.push({ repairs: new Map([['address', 2]]) });
    scene.finds.push({ repairs: new Map([['address', 1] as const, ['rule', 3] as const]) });
    for (let i = 0; i < 2; i++) {
      scene.tell(NETLINK_CHANGES.address);
      scene.time.run(seconds(2));
    }
    assert.equal(watch.counts(), { address: 3, rule: 3 });
    assert.equal(
      scene.log.lines.map(({ fields }) => fields),
      [{ address: 2 }, { address: 1, rule: 3 }],
    );
  });
});

test('watch: lost notices are counted, and lead to a look at everything', () => {
  during((scene) => {
    const watch = scene.open();
    scene.tell(NETLINK_CHANGES.overrun);
    scene.time.run(millis(300));
    assert.is(scene.looks.length, 1);
    assert.is(scene.asked[0]?.skipRoutes, false);
    assert.equal(watch.counts(), { resync: 1 });
  });
});

test('watch: a changed underlay is passed on once, without a notice within 5 s', () => {
  during((scene) => {
    scene.open();
    for (let i = 0; i < 3; i++) scene.finds.push({ underlay: { ...HERE, here: 'o' } });
    scene.time.run(seconds(5));
    assert.is(scene.underlayChanges, 1);
    scene.time.run(seconds(10));
    assert.is(scene.underlayChanges, 1);
    scene.time.run(seconds(5));
    assert.is(scene.underlayChanges, 2, 'it is as it was, which is a change, too');
  });
});

test('watch: a peer that became known is no change of the underlay, another way to it is', () => {
  during((scene) => {
    scene.open();
    const ways = (others: readonly [string, string][]) =>
      scene.finds.push({ underlay: { ...HERE, ways: new Map([...HERE.ways, ...others]) } });
    ways([['192.0.2.2', '2']]);
    ways([['192.0.2.2', '3']]);
    scene.time.run(seconds(5));
    assert.is(scene.underlayChanges, 0);
    scene.time.run(seconds(5));
    assert.is(scene.underlayChanges, 1);
    scene.time.run(seconds(10));
    assert.is(scene.underlayChanges, 1, 'nor that it is known no more');
    ways([['192.0.2.3', '2']]);
    scene.tell(NETLINK_CHANGES.route);
    scene.time.run(seconds(1));
    assert.is(scene.underlayChanges, 2, 'its way may have been another a moment ago');
  });
});

test('watch: an interface that is gone is made again, one that was moved away is not', () => {
  during((scene) => {
    const watch = scene.open();
    scene.finds.push({ link: 'gone' });
    scene.tell(NETLINK_CHANGES.link);
    scene.time.run(seconds(1));
    assert.is(scene.reopens, 1);
    assert.equal(watch.counts(), { link: 1 });
    scene.hasTun = true;
    for (let i = 0; i < 9; i++) scene.finds.push({ link: 'gone' });
    scene.time.run(seconds(30));
    assert.is(scene.reopens, 1);
  });
});

test('watch: what cannot be made again is tried for four times a second, and said once', () => {
  during((scene) => {
    const watch = scene.open();
    scene.reopenFails = true;
    for (let i = 0; i < 1_000; i++) scene.finds.push({ link: 'gone' });
    scene.tell(NETLINK_CHANGES.link);
    scene.time.run(seconds(10));
    assert.ok(scene.reopens >= 35 && scene.reopens <= 41, `${scene.reopens} times`);
    assert.is(scene.log.lines.length, 1);
    scene.reopenFails = false;
    scene.time.run(millis(300));
    assert.equal(watch.counts(), { link: 1 });
    assert.equal(scene.failures, []);
  });
});

test('watch: a kernel that does not answer is asked again, and a defect is passed on', () => {
  during((scene) => {
    scene.open();
    scene.finds.push(new NetlinkError('List links', 'ENOBUFS'));
    scene.time.run(seconds(10));
    assert.is(scene.looks.length, 2);
    assert.match(String(scene.log.lines[0]?.fields.why), /^List links: ENOBUFS/);
    const defect = new Error('a defect');
    scene.finds.push(defect);
    scene.time.run(seconds(5));
    assert.equal(scene.failures, [defect]);
  });
});

test('watch: closed, it looks no more', () => {
  during((scene) => {
    const watch = scene.open();
    scene.tell(NETLINK_CHANGES.link);
    watch.close();
    scene.tell(NETLINK_CHANGES.link);
    scene.time.run(seconds(10));
    assert.equal(scene.looks, []);
    assert.is(scene.isClosed, true);
    assert.equal(scene.time.waiting(), { timers: 0, immediates: 0 });
  });
});

test.run();
