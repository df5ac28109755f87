import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nodeId } from '../../src/base/identifiers.js';
import { SILENT } from '../../src/base/log.js';
import { wallTime } from '../../src/base/time.js';
import {
  commandMesh,
  enterMesh,
  findMesh,
  type MeshEntryParts,
} from '../../src/daemon/mesh_entry.js';
import type { MeshOptions } from '../../src/daemon/mesh_options.js';
import type { Tunnel } from '../../src/daemon/tunnel.js';
import type { MeshAnswer } from '../../src/mesh/command.js';
import { emitKeys } from '../../src/mesh/keys.js';
import { emitOwnState } from '../../src/mesh/own_state.js';
import type { MeshSnapshot } from '../../src/mesh/snapshot.js';
import { MeshFiles } from '../../src/daemon/mesh_files.js';
import { memberSnapshot, meshSnapshot } from '../support/mesh_document.js';
import { sampleJoinLine } from '../support/sample_join_line.js';
import { statusSource } from '../support/status.js';

const test = suite<{ folder: string }>('daemon/mesh_entry');
const OPTIONS: MeshOptions = {
  line: undefined,
  name: undefined,
  networkName: undefined,
  announce: [],
  subnetLength: undefined,
  acceptsDefaultRoutes: false,
  isNewIdentity: false,
};
const INVITED: MeshAnswer = {
  ok: true,
  result: { kind: 'invited', line: 'heddle1x', id: 'e1', expires: 100 },
};

/** A start that nobody stops. */
const NEVER_ENDED = new Promise(() => {});

test.before.each((context) => {
  context.folder = fs.mkdtempSync(join(tmpdir(), 'heddle-'));
});
test.after.each((context) => fs.rmSync(context.folder, { recursive: true }));

function partsOf(folder: string) {
  const said: string[] = [];
  const parts: MeshEntryParts = {
    folders: { state: folder, run: folder, wireguard: folder },
    log: SILENT,
    step: (name, detail) => said.push(`${name} ${detail}`),
    advise: (text) => said.push(`advice ${text.trim()}`),
    showLine: (line, expires) => said.push(`line ${line} until ${expires}`),
  };
  return { said, parts };
}

function tunnelOf(mesh: MeshSnapshot, answer: MeshAnswer = INVITED): Tunnel {
  const { snapshot } = statusSource();
  const tunnel = { snapshot: () => ({ ...snapshot, mesh }), interfaceName: 'heddle0' };
  return { ...tunnel, mesh: { command: async () => answer } } as unknown as Tunnel;
}

/** As a member of a network keeps it; undefined: of none yet. */
function keep(folder: string, network: string | undefined, root?: Uint8Array): void {
  const files = new MeshFiles(folder);
  const seed = new Uint8Array(32).fill(1);
  const none = { nextStaticKey: undefined, admin: undefined };
  files.write('keys', emitKeys({ identity: seed, staticKey: seed, root, ...none }));
  const id = network === undefined ? undefined : { id: nodeId(network), rootKey: seed };
  files.write(
    'own',
    emitOwnState({ network: id, ceiling: 0, stamp: 0, records: [], redeemed: [] }),
  );
}

test('mesh entry: a first start that founded shows one line; a later one does not', async ({
  folder,
}) => {
  const members = [memberSnapshot({ isSelf: true })];
  const first = partsOf(folder);
  const start = findMesh(OPTIONS, first.parts, () => {});
  await enterMesh(start, tunnelOf(meshSnapshot({ members })), first.parts, NEVER_ENDED);
  assert.match(first.said[0] ?? '', 'mesh network "home", alpha at 10.86.0.1, fd00::1');
  assert.is(first.said[1], `line heddle1x until ${wallTime(100_000_000)}`);
  keep(folder, '00000000000000ff');
  const later = partsOf(folder);
  const again = findMesh(OPTIONS, later.parts, () => {});
  await enterMesh(again, tunnelOf(meshSnapshot({ members })), later.parts, NEVER_ENDED);
  assert.is(later.said.length, 1);
});

test('mesh entry: a join line that is refused ends the start, with why', async ({ folder }) => {
  const { parts } = partsOf(folder);
  const start = findMesh({ ...OPTIONS, line: sampleJoinLine() }, parts, () => {});
  const picture = meshSnapshot({ phase: 'joining', isRefused: true, waiting: 'another line' });
  let message = '';
  await enterMesh(start, tunnelOf(picture), parts, NEVER_ENDED).catch((error: unknown) => {
    message = String(error);
  });
  assert.match(message, 'did not join: it waits for another line');
});

test('mesh entry: a line of another network is refused where there is one already', ({
  folder,
}) => {
  keep(folder, '00000000000000ff');
  const { parts } = partsOf(folder);
  const options = { ...OPTIONS, line: sampleJoinLine() };
  assert.throws(() => findMesh(options, parts, () => {}), /already.*heddle leave/);
});

test('mesh entry: a new identity sets the old one aside first', ({ folder }) => {
  keep(folder, '00000000000000ff');
  const { parts, said } = partsOf(folder);
  const options = { ...OPTIONS, line: sampleJoinLine(), isNewIdentity: true };
  const start = findMesh(options, parts, () => {});
  assert.is(start.kept.keys, undefined);
  assert.match(said.join(), 'identity a new one');
  assert.ok(fs.existsSync(join(folder, 'keys.left')));
});

test('mesh entry: no network is founded where one is lost, or was to be joined', ({ folder }) => {
  const { parts } = partsOf(folder);
  keep(folder, undefined);
  assert.throws(() => findMesh(OPTIONS, parts, () => {}), /began to join .*--join.*--new-identity/);
  const joining = { ...OPTIONS, line: sampleJoinLine() };
  assert.ok(findMesh(joining, parts, () => {}).kept.keys, 'it goes on with its identity');
  keep(folder, '00000000000000ff', new Uint8Array(32).fill(9));
  for (const name of ['own', 'own.previous']) {
    fs.writeFileSync(join(folder, name), 'xx', { mode: 0o600 });
  }
  assert.throws(() => findMesh(OPTIONS, parts, () => {}), /knew of its network is lost .*--join/);
  assert.ok(fs.existsSync(join(folder, 'keys')));
});

test('mesh entry: a founding that was cut short is set aside, and begun again', ({ folder }) => {
  keep(folder, undefined, new Uint8Array(32).fill(9));
  const { parts } = partsOf(folder);
  assert.is(findMesh(OPTIONS, parts, () => {}).kept.keys, undefined);
  assert.ok(fs.existsSync(join(folder, 'keys.left')));
});

test('mesh entry: a network without a join line says why, and starts', async ({ folder }) => {
  const members = [memberSnapshot({ isSelf: true })];
  const { said, parts } = partsOf(folder);
  const start = findMesh(OPTIONS, parts, () => {});
  const refused: MeshAnswer = { ok: false, error: 'This host has no address' };
  await enterMesh(start, tunnelOf(meshSnapshot({ members }), refused), parts, NEVER_ENDED);
  assert.match(said.at(-1) ?? '', 'advice There is no join line yet: This host has no address.');
});

test('mesh entry: who was revoked starts, and is told', async ({ folder }) => {
  keep(folder, '00000000000000ff');
  const { said, parts } = partsOf(folder);
  const start = findMesh(OPTIONS, parts, () => {});
  const picture = meshSnapshot({ phase: 'left', waiting: 'This host was revoked' });
  await enterMesh(start, tunnelOf(picture), parts, NEVER_ENDED);
  assert.equal(said, ['mesh no member: This host was revoked']);
});

test('mesh entry: who is told to stop waits for nobody', async ({ folder }) => {
  const { said, parts } = partsOf(folder);
  const start = findMesh({ ...OPTIONS, line: sampleJoinLine() }, parts, () => {});
  const picture = meshSnapshot({ phase: 'joining', waiting: 'an admin' });
  await enterMesh(start, tunnelOf(picture), parts, Promise.resolve());
  assert.equal(said, []);
});

test('mesh entry: commands are judged, carried out and answered', async () => {
  const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  const bad = await commandMesh({ command: async () => INVITED }, text({ kind: 'x' }));
  assert.is(bad.status, 400);
  const good = await commandMesh({ command: async () => INVITED }, text({ kind: 'leave' }));
  assert.equal(good, { status: 200, body: INVITED });
  const refused: MeshAnswer = { ok: false, error: 'no' };
  const no = await commandMesh({ command: async () => refused }, text({ kind: 'leave' }));
  assert.equal(no, { status: 422, body: refused });
});

test.run();
