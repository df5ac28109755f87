/**
 * What a killed daemon leaves is written down before and removed after, and nothing else is
 * touched.
 */

import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SILENT } from '../../src/base/log.js';
import type { Folders } from '../../src/daemon/folders.js';
import { hasLeftovers, noteLeftovers, removeLeftovers } from '../../src/daemon/leftovers.js';
import { NetlinkError, type Rule } from '../../src/io/netlink.js';
import type { HostPlan } from '../../src/route/host_plan.js';
import { prefix } from '../support/parsed.js';

const test = suite<{ folders: Folders; file: string }>('daemon/leftovers');

test.before.each((context) => {
  const run = fs.mkdtempSync(join(tmpdir(), 'heddle-'));
  context.folders = { run, state: run, wireguard: run };
  context.file = join(run, 'leftovers.json');
});
test.after.each((context) => fs.rmSync(context.folders.run, { recursive: true }));

const PREFIX = prefix('0.0.0.0/0');
const DEFAULT_ROUTE: HostPlan = {
  mark: 51820,
  steps: [
    { kind: 'link', mtu: 1420 },
    { kind: 'route', prefix: PREFIX, table: 51820 },
    { kind: 'markRule', family: 4, table: 51820, mark: 51820 },
    { kind: 'mainRule', family: 4 },
  ],
};
const RULES: readonly Rule[] = [
  { family: 4, table: 51820, notMark: 51820 },
  { family: 4, table: 254, suppressDefault: true },
];

function remover(code?: string) {
  const deleted: Rule[] = [];
  const deleteRule = (rule: Rule): void => {
    deleted.push(rule);
    if (code !== undefined) throw new NetlinkError('Delete rule', code);
  };
  return { deleted, deleteRule };
}

test('leftovers: a plan whose rules go with the interface is not written down', ({ folders }) => {
  noteLeftovers(folders, { mark: 0, steps: [{ kind: 'link', mtu: 1420 }] });
  assert.is(hasLeftovers(folders), false);
});

test('leftovers: are struck off by an orderly end', ({ folders, file }) => {
  const strikeOff = noteLeftovers(folders, DEFAULT_ROUTE);
  assert.is(hasLeftovers(folders), true);
  assert.is(fs.statSync(file).mode & 0o777, 0o600);
  strikeOff();
  const netlink = remover();
  removeLeftovers(folders, netlink, SILENT);
  assert.equal(netlink.deleted, []);
});

test('leftovers: of a killed daemon are removed, once', ({ folders }) => {
  noteLeftovers(folders, DEFAULT_ROUTE);
  const netlink = remover();
  removeLeftovers(folders, netlink, SILENT);
  removeLeftovers(folders, netlink, SILENT);
  assert.equal(netlink.deleted, RULES);
  assert.is(hasLeftovers(folders), false);
});

test('leftovers: a rule that is gone already is no fault', ({ folders }) => {
  noteLeftovers(folders, DEFAULT_ROUTE);
  const netlink = remover('ENOENT');
  removeLeftovers(folders, netlink, SILENT);
  assert.equal(netlink.deleted, RULES);
});

test('leftovers: of another network namespace, or a file that is not whole, delete nothing', ({
  folders,
  file,
}) => {
  const texts = [
    JSON.stringify({ namespace: 'net:[1]', rules: RULES }),
    '',
    '{"namespace":',
    '{"rules":[]}',
    JSON.stringify({ namespace: fs.readlinkSync('/proc/self/ns/net'), rules: [5] }),
    JSON.stringify({
      namespace: fs.readlinkSync('/proc/self/ns/net'),
      rules: RULES,
      validMark: '0; reboot',
    }),
  ];
  for (const text of texts) {
    fs.writeFileSync(file, text, { mode: 0o600 });
    const netlink = remover();
    removeLeftovers(folders, netlink, SILENT);
    assert.equal(netlink.deleted, [], text);
    assert.is(hasLeftovers(folders), false);
  }
});

test.run();
