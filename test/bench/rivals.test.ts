import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findRivals, hasOffloads, type Rival } from '../../bench/rivals.js';
import { offloadSwitches } from '../../bench/subjects_rivals.js';

const test = suite('rivals');

const VERSIONS: readonly [string, boolean][] = [
  ['0.0.20220316-1', false],
  ['0.0.20231130-1', false],
  ['0.0.20231211-1~bpo12+1', true],
  ['0.0.20260522-1', true],
  ['of unknown version', false],
];
for (const [version, has] of VERSIONS) {
  test(`rivals: wireguard-go ${version} has ${has ? '' : 'no '}offloads`, () => {
    assert.is(hasOffloads(version), has);
  });
}

function withFolder(use: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-rivals-'));
  try {
    use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function unpack(folder: string, suiteName: string, script: string): void {
  const place = join(folder, suiteName, 'nebula');
  mkdirSync(join(place, 'usr/bin'), { recursive: true });
  writeFileSync(join(place, 'usr/bin/nebula'), script, { mode: 0o755 });
  writeFileSync(join(place, 'VERSION'), `of-${suiteName}`);
}

const ASKED = { mirror: 'http://127.0.0.1:1/', isOffline: true, say: () => {} };

test('rivals: the newest that runs here is taken', () => {
  withFolder((folder) => {
    unpack(folder, 'bookworm-backports', '#!/bin/sh\n');
    unpack(folder, 'sid', '#!/bin/sh\n');
    assert.is(findRivals({ folder, ...ASKED }).found.get('nebula')?.version, 'of-sid');
    unpack(folder, 'sid', '#!/bin/sh\nexit 1\n');
    const found = findRivals({ folder, ...ASKED }).found.get('nebula');
    assert.is(found?.version, 'of-bookworm-backports');
    assert.is(
      found?.program('nebula-cert'),
      join(folder, 'bookworm-backports/nebula/usr/bin/nebula-cert'),
    );
  });
});

test('rivals: what is missing is named with the command that installs it', () => {
  withFolder((folder) => {
    const { found, remarks } = findRivals({ folder, ...ASKED });
    for (const name of ['nebula', 'wireguard-go'] as const) {
      const isNamed = remarks.some((each) => each.includes(`apt-get install -y ${name}`));
      assert.is(isNamed, !found.has(name), name);
    }
  });
});

test('rivals: the switches of nebula are found in its program', () => {
  withFolder((folder) => {
    const path = join(folder, 'nebula');
    const rival: Rival = { name: 'nebula', version: '1', source: 'sid', program: () => path };
    writeFileSync(
      path,
      'listen.batchlisten.udp_offloadstun.mtutun.tun_offloadslisten.udp_offloads',
    );
    assert.equal(offloadSwitches(rival), ['listen.udp_offloads', 'tun.tun_offloads']);
    writeFileSync(path, 'listen.batchtun.mtu');
    assert.equal(offloadSwitches(rival), []);
  });
});

test.run();
