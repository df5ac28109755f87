import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type NodeId, nodeId } from '../../src/base/identifiers.js';
import { announcementKey, emitAnnouncement } from '../../src/ipam/announcement_body.js';
import {
  ANNOUNCEMENTS,
  type AnnouncementScope,
  Announcements,
  type AnnouncerStatus,
} from '../../src/ipam/announcements.js';
import { prefix } from '../support/parsed.js';
import { withSeed } from '../support/seed.js';

const test = suite('ipam/announcements');

const SITE = '10.20.0.0/16';
const SCOPE: AnnouncementScope = {
  self: nodeId('00000000000000ff'),
  overlay: ['10.77.0.0/16', 'fd11:2233:4455::/48'].map(prefix),
  acceptsDefaultRoutes: false,
  ownNetworks: [],
};

function id(number: number): NodeId {
  return nodeId(number.toString(16).padStart(16, '0'));
}

class Scene {
  readonly announcements: Announcements;

  constructor(scope: Partial<AnnouncementScope> = {}) {
    this.announcements = new Announcements({ ...SCOPE, ...scope });
  }

  permit(by: number, ...texts: string[]): void {
    const mayAnnounceDefault = texts.some((text) => text.endsWith('/0'));
    this.announcements.permit(id(by), { prefixes: texts.map(prefix), mayAnnounceDefault });
  }

  announce(by: number, text = SITE, metric = 100): void {
    const statement = { prefix: prefix(text), isWithdrawn: false, metric };
    const key = announcementKey(statement.prefix);
    this.announcements.put(id(by), key, emitAnnouncement(statement));
  }

  withdraw(by: number, text = SITE): void {
    const statement = { prefix: prefix(text), isWithdrawn: true, metric: 0 };
    const key = announcementKey(statement.prefix);
    this.announcements.put(id(by), key, emitAnnouncement(statement));
  }

  status(by: number, status: AnnouncerStatus): void {
    this.announcements.setStatus(id(by), status);
  }

  owner(text = SITE): number | undefined {
    for (const { prefix: routed, owner } of this.announcements.routed()) {
      if (routed.text === text) return Number.parseInt(owner, 16);
    }
    return undefined;
  }

  refusals(): string[] {
    return [...this.announcements.refusals()].map(
      ({ author, prefix: refused, reason }) =>
        `${Number.parseInt(author, 16)} ${refused?.text ?? '?'} ${reason}`,
    );
  }
}

/** Members 1 and 2 announce the site. */
function twoGateways(metrics: readonly [number, number] = [100, 100]): Scene {
  const scene = new Scene();
  for (const by of [1, 2]) {
    scene.permit(by, SITE);
    scene.announce(by, SITE, metrics[by - 1]);
  }
  scene.announcements.takeChanged();
  return scene;
}

test('announcements: a prefix goes to the member that announces it and may', () => {
  const scene = new Scene();
  scene.announce(1);
  assert.is(scene.owner(), undefined);
  assert.equal(scene.refusals(), ['1 10.20.0.0/16 not_certified']);
  scene.permit(1, SITE);
  assert.is(scene.owner(), 1);
  assert.equal(scene.refusals(), []);
  assert.equal(
    scene.announcements.prefixesOf(id(1)).map(({ text }) => text),
    [SITE],
  );
  assert.equal(scene.announcements.takeChanged(), [id(1)]);
});

for (const [statuses, metrics, expected, why] of [
  [['alive', 'alive'], [100, 100], 1, 'the lower id'],
  [['alive', 'alive'], [100, 50], 2, 'the lower metric'],
  [['suspect', 'alive'], [100, 100], 2, 'alive before suspect'],
  [['suspect', 'alive'], [50, 100], 2, 'alive before the lower metric'],
  [['suspect', 'suspect'], [100, 100], 1, 'suspect where nobody is alive'],
  [['failed', 'suspect'], [50, 100], 2, 'suspect before failed'],
  [['failed', 'failed'], [100, 100], undefined, 'never failed'],
  [['left', 'revoked'], [100, 100], undefined, 'never left or revoked'],
] as const) {
  test(`announcements: of two the way is ${why}: ${statuses.join(' and ')}`, () => {
    const scene = twoGateways(metrics);
    scene.status(1, statuses[0]);
    scene.status(2, statuses[1]);
    assert.is(scene.owner(), expected);
  });
}

test('announcements: a prefix moves when its owner fails, and comes back with it', () => {
  const scene = twoGateways();
  assert.is(scene.owner(), 1);
  scene.status(1, 'suspect');
  assert.is(scene.owner(), 2);
  assert.equal(scene.announcements.takeChanged().sort(), [id(1), id(2)]);
  assert.equal(scene.announcements.prefixesOf(id(1)), []);
  scene.status(1, 'failed');
  assert.equal(scene.announcements.takeChanged(), []);
  scene.status(1, 'alive');
  assert.is(scene.owner(), 1);
});

test('announcements: what is withdrawn, forgotten or allowed no more goes to another', () => {
  for (const end of ['withdraw', 'forget', 'permit'] as const) {
    const scene = twoGateways();
    if (end === 'withdraw') scene.withdraw(1);
    else if (end === 'forget') scene.announcements.forget(id(1));
    else scene.announcements.permit(id(1), undefined);
    assert.is(scene.owner(), 2, end);
    scene.withdraw(2);
    assert.is(scene.owner(), undefined, end);
  }
});

test('announcements: a default route is taken only by a host that says so', () => {
  for (const text of ['0.0.0.0/0', '::/0', '128.0.0.0/1']) {
    const scene = new Scene();
    scene.permit(1, '0.0.0.0/0', '::/0');
    scene.announce(1, text);
    assert.is(scene.owner(text), undefined);
    assert.equal(scene.refusals(), [`1 ${prefix(text).text} default_not_accepted`]);
    scene.announcements.setScope({ ...SCOPE, acceptsDefaultRoutes: true });
    assert.is(scene.owner(text), 1);
    scene.announce(2, text);
    scene.status(1, 'failed');
    assert.is(scene.owner(text), undefined);
  }
});

test('announcements: nothing of the overlay’s own is announced by anybody', () => {
  const scene = new Scene();
  scene.permit(1, '10.0.0.0/8', 'fd00::/16');
  for (const text of ['10.77.0.9/32', '10.77.128.0/24', 'fd11:2233:4455::1/128']) {
    scene.announce(1, text);
    assert.is(scene.owner(text), undefined, text);
  }
  assert.is(scene.refusals().length, 3);
});

test('announcements: what a host announces or is in itself it does not send to others', () => {
  const gateway = new Scene({ self: id(2) });
  for (const by of [1, 2]) gateway.permit(by, SITE);
  for (const by of [1, 2]) gateway.announce(by, SITE, by);
  assert.is(gateway.owner(), undefined);
  assert.equal(
    gateway.announcements.prefixesOf(id(2)).map(({ text }) => text),
    [SITE],
  );
  const ownNetworks = ['0.0.0.0/0', SITE].map(prefix);
  const behind = new Scene({ ownNetworks });
  behind.permit(1, '10.20.0.0/15');
  for (const text of [SITE, '10.20.5.0/24', '10.21.0.0/16']) behind.announce(1, text);
  assert.is(behind.owner(), undefined);
  assert.is(behind.owner('10.21.0.0/16'), 1);
  assert.equal(behind.refusals(), ['1 10.20.0.0/16 own_network', '1 10.20.5.0/24 own_network']);
});

test('announcements: what is malformed, or under another’s key, is refused', () => {
  const scene = new Scene();
  scene.permit(1, '0.0.0.0/0', SITE);
  const body = emitAnnouncement({ prefix: prefix(SITE), isWithdrawn: false, metric: 1 });
  scene.announcements.put(id(1), '0000000000000001', body);
  scene.announcements.put(id(1), announcementKey(prefix(SITE)), body.subarray(1));
  assert.is(scene.owner(), undefined);
  assert.equal(scene.refusals(), ['1 ? malformed', '1 ? malformed']);
  scene.announce(1);
  assert.is(scene.owner(), 1);
});

test('announcements: of a million prefixes of one member so many count as fit', () => {
  const scene = new Scene();
  scene.permit(1, '10.0.0.0/9');
  scene.permit(2, SITE);
  scene.announce(2);
  const body = emitAnnouncement({ prefix: prefix(SITE), isWithdrawn: false, metric: 1 });
  for (let i = 0; i < 1_000_000; i++) {
    scene.announcements.put(id(1), i.toString(16).padStart(16, 'f'), body);
  }
  assert.is(scene.refusals().length, ANNOUNCEMENTS + 1);
  assert.is(scene.owner(), 2);
});

test('announcements: which of too many count does not depend on their order', () => {
  withSeed('too many announcements', (random) => {
    const texts = Array.from({ length: 200 }, (_, i) => `10.20.${i}.0/24`);
    const outcomes = Array.from({ length: 5 }, () => {
      const scene = new Scene();
      scene.permit(1, SITE);
      const order = [...texts];
      for (let i = order.length - 1; i > 0; i--) {
        const other = random.below(i + 1);
        [order[i], order[other]] = [order[other] ?? '', order[i] ?? ''];
      }
      for (const text of order) scene.announce(1, text);
      return scene.announcements.prefixesOf(id(1)).map(({ text }) => text);
    });
    for (const outcome of outcomes) {
      assert.is(outcome.length, ANNOUNCEMENTS);
      assert.equal([...outcome].sort(), [...(outcomes[0] ?? [])].sort());
    }
  });
});

test('announcements: all who know the same agree, in whatever order they came to know it', () => {
  withSeed('announcements', (random) => {
    for (let round = 0; round < 60; round++) {
      const events: ((scene: Scene) => void)[] = [];
      for (let by = 1; by <= 12; by++) {
        const site = `10.20.${random.below(3)}.0/24`;
        const metric = random.below(3);
        const status = (['alive', 'suspect', 'failed', 'left', 'revoked'] as const)[
          random.below(5)
        ];
        const allowed = random.below(4) === 0 ? '10.30.0.0/16' : SITE;
        events.push((scene) => scene.announce(by, site, metric));
        events.push((scene) => scene.permit(by, allowed));
        events.push((scene) => scene.status(by, status ?? 'alive'));
      }
      const scenes = Array.from({ length: 4 }, () => {
        const scene = new Scene();
        const order = [...events];
        while (order.length > 0) order.splice(random.below(order.length), 1)[0]?.(scene);
        return scene;
      });
      for (const text of ['10.20.0.0/24', '10.20.1.0/24', '10.20.2.0/24']) {
        for (const scene of scenes) assert.is(scene.owner(text), scenes[0]?.owner(text));
      }
      const owned = (scene: Scene, by: number): number =>
        scene.announcements.prefixesOf(id(by)).length;
      for (let by = 1; by <= 12; by++) {
        for (const scene of scenes) assert.is(owned(scene, by), owned(scenes[0] ?? scene, by));
      }
    }
  });
});

test('announcements: members that announce nothing, and may nothing, take no memory', () => {
  const scene = new Scene();
  for (let by = 0; by < 40_000; by++) {
    scene.permit(by);
    scene.status(by, 'failed');
    scene.status(by, 'alive');
  }
  scene.permit(50_000, SITE);
  scene.announce(50_000);
  assert.is(scene.owner(), 50_000);
});

test.run();
