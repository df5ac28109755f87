/**
 * What a killed daemon leaves is written down before and removed after, and nothing else is
 * touched.
 */

import * as fs from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SILENT } from '../../src/base/log.js';
import type { Folders } from '../../src/daemon/folders.js';
import { hasLeftovers, LeftoverNotes, removeLeftovers } from '../../src/daemon/leftovers.js';
import { NetlinkError, PROTOCOL_HEDDLE } from '../../src/io/netlink.js';
import { type FoundRule, formatRule, type Rule } from '../../src/wire/netlink_rule.js';

const test = suite<{ folders: Folders; file: string }>('daemon/leftovers');

test.before.each((context) => {
  const run = fs.mkdtempSync(join(tmpdir(), 'heddle-'));
  context.folders = { run, state: run, wireguard: run };
  context.file = join(run, 'leftovers.json');
});
test.after.each((context) => fs.rmSync(context.folders.run, { recursive: true }));

/** The block of an interface, as the kernel lists it. */
function blockOf(end: number, incoming: string): Rule[] {
  return [
    { family: 4, priority: end - 2, table: 254, suppressDefault: true },
    { family: 4, priority: end - 1, table: 51_820, notMark: 51_820 },
    { family: 4, priority: end, incoming },
  ];
}

const RULES = blockOf(100, 'hd0');
const TEXTS = RULES.map(formatRule);
/** In the order in which they go. */
const REMOVED = [1, 0, 2].map((i) => TEXTS[i] ?? '');

interface Scene {
  readonly ours?: readonly Rule[];
  readonly others?: readonly Rule[];
  /** Of whose interfaces there are none. */
  readonly dead?: readonly string[];
  readonly refuses?: string;
}

function kernelWith({ ours = [], others = [], dead = [], refuses }: Scene) {
  const deleted: string[] = [];
  const find =
    (protocol: number) =>
    (rule: Rule): FoundRule => {
      const isDetached = rule.incoming !== undefined && dead.includes(rule.incoming);
      return { rule, protocol, isDetached };
    };
  return {
    deleted,
    rules: (family: number) => {
      const all = [...others.map(find(3)), ...ours.map(find(PROTOCOL_HEDDLE))];
      return all.filter(
        ({ rule }) => rule.family === family && !deleted.includes(formatRule(rule)),
      );
    },
    deleteRule: (rule: Rule) => {
      if (refuses !== undefined) throw new NetlinkError('Delete rule', refuses);
      deleted.push(formatRule(rule));
    },
  };
}

test('leftovers: without rules and sockets nothing is written down', ({ folders }) => {
  new LeftoverNotes(folders).note([]);
  assert.is(hasLeftovers(folders), false);
});

test('leftovers: are for nobody else to see, and struck off by an orderly end', async (context) => {
  const { folders, file } = context;
  const notes = new LeftoverNotes(folders);
  notes.note(RULES);
  notes.noteSocket('/run/nowhere.sock');
  assert.is(fs.statSync(file).mode & 0o777, 0o600);
  notes.note([]);
  assert.is(hasLeftovers(folders), true, 'the socket');
  notes.strikeOff();
  assert.is(hasLeftovers(folders), false);
  const kernel = kernelWith({ ours: RULES });
  assert.equal(await removeLeftovers(folders, kernel, SILENT), []);
});

test('leftovers: of a killed daemon are removed, once', async ({ folders }) => {
  new LeftoverNotes(folders).note(RULES);
  const kernel = kernelWith({ ours: RULES, others: RULES });
  const removed = await removeLeftovers(folders, kernel, SILENT);
  assert.equal(kernel.deleted, REMOVED, 'what leads into the tunnel first');
  assert.equal(
    removed,
    REMOVED.map((text) => `rule ${text}`),
  );
  assert.equal(await removeLeftovers(folders, kernel, SILENT), []);
  assert.is(hasLeftovers(folders), false);
});

test('leftovers: without a record are known by their interface being gone', async ({ folders }) => {
  const ours = [...RULES, ...blockOf(96, 'hd1')];
  const kernel = kernelWith({ ours, others: RULES, dead: ['hd0'] });
  await removeLeftovers(folders, kernel, SILENT);
  assert.equal(kernel.deleted, REMOVED);
});

test('leftovers: a rule of heddle’s number without a block has no owner', async ({ folders }) => {
  const lone: Rule = { family: 4, priority: 50, table: 51_820, notMark: 51_820 };
  const kernel = kernelWith({ ours: [lone, ...RULES], others: [{ ...lone, priority: 51 }] });
  await removeLeftovers(folders, kernel, SILENT);
  assert.equal(kernel.deleted, [formatRule(lone)]);
});

test('leftovers: rules that are gone, or refused, are no fault', async ({ folders }) => {
  for (const scene of [{}, { ours: RULES, refuses: 'ENOENT' }]) {
    new LeftoverNotes(folders).note(RULES);
    assert.equal(await removeLeftovers(folders, kernelWith(scene), SILENT), []);
    assert.is(hasLeftovers(folders), false);
  }
});

test('leftovers: another place, or a file that is not whole, deletes nothing', async (context) => {
  const { folders, file } = context;
  new LeftoverNotes(folders).note(RULES);
  const notes = JSON.parse(fs.readFileSync(file, 'utf8'));
  for (const text of [
    JSON.stringify({ ...notes, place: `another-boot ${fs.readlinkSync('/proc/self/ns/net')}` }),
    JSON.stringify({ ...notes, place: notes.place.replace(/\d+\]/, '1]') }),
    JSON.stringify({ ...notes, rules: [5] }),
    JSON.stringify({ ...notes, sockets: '/etc/passwd' }),
    JSON.stringify({ rules: TEXTS, sockets: [] }),
    JSON.stringify(notes).slice(0, -1),
    'null',
    '',
  ]) {
    fs.writeFileSync(file, text, { mode: 0o600 });
    const kernel = kernelWith({ ours: RULES });
    assert.equal(await removeLeftovers(folders, kernel, SILENT), [], text);
    assert.is(hasLeftovers(folders), false);
  }
});

test('leftovers: a socket goes when nobody listens, and only a socket', async ({ folders }) => {
  const [dead, living, file] = ['dead', 'living', 'file'].map((name) => join(folders.run, name));
  if (!dead || !living || !file) throw new Error('three paths');
  await new Promise<void>((done) => {
    const server = createServer();
    server.listen(join(folders.run, 'temporary'), () => {
      // Closing removes the name that it was bound to, and not this one.
      fs.linkSync(join(folders.run, 'temporary'), dead);
      server.close(() => done());
    });
  });
  const server = createServer();
  await new Promise<void>((done) => server.listen(living, done));
  fs.writeFileSync(file, 'a file');
  const removed: string[] = [];
  for (const path of [dead, living, file]) {
    new LeftoverNotes(folders).noteSocket(path);
    removed.push(...(await removeLeftovers(folders, kernelWith({}), SILENT)));
  }
  assert.equal(removed, [`socket ${dead}`]);
  assert.equal(
    [dead, living, file].map((path) => fs.existsSync(path)),
    [false, true, true],
  );
  await new Promise((done) => server.close(done));
});

test('leftovers: what a writer was killed over goes, too', async ({ folders, file }) => {
  fs.writeFileSync(`${file}.4711.new`, '{');
  fs.writeFileSync(join(folders.run, 'other.4711.new'), '{');
  await removeLeftovers(folders, kernelWith({}), SILENT);
  assert.equal(fs.readdirSync(folders.run), ['other.4711.new']);
});

test.run();
