import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type PeerEdit, PeerDrafts } from '../../src/api/uapi_peers.js';
import { toBase64 } from '../../src/base/bytes.js';
import { seconds } from '../../src/base/time.js';
import type { PeerConfig } from '../../src/node/config.js';
import { endpoint, prefix } from '../support/parsed.js';
import { config, key, OTHER } from '../support/uapi.js';

const test = suite('api/uapi_peers');

const NEW = key(0x21);
const THIRD: PeerConfig = {
  name: 'third',
  publicKey: key(0x31),
  allowedIps: [prefix('10.3.0.0/16')],
};

/** The only peer, after these edits of it. */
function edited(peer: PeerConfig, ...edits: PeerEdit[]): PeerConfig | undefined {
  const drafts = new PeerDrafts(config([peer]));
  drafts.select(peer.publicKey);
  for (const edit of edits) drafts.edit(edit);
  return drafts.build()[0];
}

function prefixes(peer: PeerConfig | undefined): string[] {
  return peer?.allowedIps.map(({ text }) => text) ?? [];
}

test('peer: settings are replaced, and the others kept', () => {
  const at = endpoint('192.0.2.1:7');
  const after = edited(
    OTHER,
    { kind: 'presharedKey', key: key(0x99) },
    { kind: 'endpoint', endpoint: at },
    { kind: 'persistentKeepalive', interval: seconds(1) },
  );
  assert.equal(after, {
    ...OTHER,
    presharedKey: key(0x99),
    endpoint: { host: '192.0.2.1', port: 7 },
    persistentKeepalive: seconds(1),
  });
});

test('peer: zeros take the preshared key away, and no interval the keepalive', () => {
  const { presharedKey: _, persistentKeepalive: __, ...bare } = OTHER;
  const after = edited(
    OTHER,
    { kind: 'presharedKey', key: key(0) },
    { kind: 'persistentKeepalive', interval: undefined },
  );
  assert.equal(after, bare);
});

test('prefixes: are added once, taken away, and replaced', () => {
  const again = edited(
    OTHER,
    { kind: 'allowIp', prefix: prefix('10.1.0.0/16') },
    { kind: 'allowIp', prefix: prefix('10.2.0.0/16') },
    { kind: 'denyIp', prefix: prefix('fd01::/64') },
    { kind: 'denyIp', prefix: prefix('10.99.0.0/16') },
  );
  assert.equal(prefixes(again), ['10.1.0.0/16', '10.2.0.0/16']);
  const anew = edited(
    OTHER,
    { kind: 'allowIp', prefix: prefix('10.2.0.0/16') },
    { kind: 'replaceAllowedIps' },
    { kind: 'allowIp', prefix: prefix('10.1.0.0/16') },
  );
  assert.equal(prefixes(anew), ['10.1.0.0/16']);
});

test('prefixes: one that another peer has moves to the later owner, and back', () => {
  const drafts = new PeerDrafts(config([OTHER, THIRD]));
  drafts.select(THIRD.publicKey);
  drafts.edit({ kind: 'allowIp', prefix: prefix('10.1.0.0/16') });
  assert.equal(drafts.build().map(prefixes), [['fd01::/64'], ['10.3.0.0/16', '10.1.0.0/16']]);
  drafts.select(OTHER.publicKey);
  drafts.edit({ kind: 'allowIp', prefix: prefix('10.1.0.0/16') });
  drafts.edit({ kind: 'allowIp', prefix: prefix('10.3.0.0/16') });
  assert.equal(drafts.build().map(prefixes), [['fd01::/64', '10.1.0.0/16', '10.3.0.0/16'], []]);
});

test('prefixes: what a removed or emptied peer had is free', () => {
  const ways: readonly PeerEdit[] = [{ kind: 'remove' }, { kind: 'replaceAllowedIps' }];
  for (const way of ways) {
    const drafts = new PeerDrafts(config([OTHER, THIRD]));
    drafts.select(THIRD.publicKey);
    drafts.edit({ kind: 'allowIp', prefix: prefix('10.4.0.0/16') });
    drafts.select(OTHER.publicKey);
    drafts.edit(way);
    drafts.select(THIRD.publicKey);
    drafts.edit({ kind: 'allowIp', prefix: prefix('10.1.0.0/16') });
    drafts.select(OTHER.publicKey);
    drafts.edit({ kind: 'denyIp', prefix: prefix('10.1.0.0/16') });
    assert.equal(prefixes(drafts.build().find(({ name }) => name === 'third')), [
      '10.3.0.0/16',
      '10.4.0.0/16',
      '10.1.0.0/16',
    ]);
  }
});

test('new peer: is named by its key, made unique', () => {
  const short = toBase64(NEW).slice(0, 8);
  const drafts = new PeerDrafts(config([{ ...OTHER, name: short }]));
  drafts.select(NEW);
  const sibling = NEW.slice();
  sibling[31] = 0;
  drafts.select(sibling);
  assert.equal(
    drafts.build().map(({ name }) => name),
    [short, `${short}-2`, `${short}-3`],
  );
  assert.equal(drafts.build()[1], { name: `${short}-2`, publicKey: NEW, allowedIps: [] });
});

test('update only: makes no peer, and edits one that is there', () => {
  const drafts = new PeerDrafts(config([OTHER]));
  drafts.select(NEW);
  drafts.edit({ kind: 'updateOnly' });
  drafts.edit({ kind: 'allowIp', prefix: prefix('10.1.0.0/16') });
  assert.equal(drafts.build(), [OTHER]);
  drafts.select(OTHER.publicKey);
  drafts.edit({ kind: 'updateOnly' });
  drafts.edit({ kind: 'denyIp', prefix: prefix('fd01::/64') });
  assert.equal(drafts.build().map(prefixes), [['10.1.0.0/16']]);
});

test('remove: what follows concerns nobody', () => {
  const drafts = new PeerDrafts(config([OTHER, THIRD]));
  drafts.select(OTHER.publicKey);
  drafts.edit({ kind: 'remove' });
  drafts.edit({ kind: 'allowIp', prefix: prefix('10.3.0.0/16') });
  assert.equal(drafts.build(), [THIRD]);
  drafts.select(NEW);
  drafts.edit({ kind: 'remove' });
  assert.is(drafts.count, 1);
});

test('replaced peers: those that come again keep name, protocol and encapsulation alone', () => {
  const drafts = new PeerDrafts(config([OTHER, THIRD]));
  drafts.removeAll();
  drafts.edit({ kind: 'allowIp', prefix: prefix('10.3.0.0/16') });
  drafts.select(OTHER.publicKey);
  drafts.select(THIRD.publicKey);
  const { name, publicKey, protocol, sealedVni } = OTHER;
  assert.equal(drafts.build(), [
    { name, publicKey, protocol, sealedVni, allowedIps: [] },
    { ...THIRD, allowedIps: [] },
  ]);
});

test.run();
