/**
 * House rules about imports: which folder may know which, and why; no cycles; nothing that hides
 * where a name comes from.
 */

import { importsOf, type SourceFile } from './source.js';

interface Allowed {
  readonly folders: readonly string[];
  readonly why: string;
}

const PURE = ['base', 'crypto', 'wire', 'route', 'path', 'session', 'datapath'];
/** What makes a mesh of hosts. */
const MESH = ['identity', 'gossip', 'state', 'ipam', 'enrol', 'mesh'];
const CORES = [...PURE, 'encap', 'policy', ...MESH];
const EVERYTHING = [...CORES, 'node', 'api', 'io', 'daemon', 'cli', 'metrics'];

/** Which folders of src a folder may import besides itself. */
const IMPORT_TABLE: Readonly<Record<string, Allowed>> = {
  base: { folders: [], why: 'everybody uses its words, so it can depend on nobody' },
  crypto: { folders: ['base'], why: 'primitives know bytes and nothing of what they protect' },
  wire: { folders: ['base'], why: 'a format is bytes and values: no policy, no state, no keys' },
  policy: { folders: ['base', 'wire'], why: 'a step of the walk knows packets, not other steps' },
  route: { folders: ['base', 'wire'], why: 'a step of the walk knows packets, not other steps' },
  encap: { folders: ['base', 'wire'], why: 'a step of the walk knows packets, not other steps' },
  path: {
    folders: ['base', 'crypto/suite', 'wire'],
    why: 'where a peer is does not depend on what is said to it',
  },
  session: {
    folders: ['base', 'crypto', 'wire', 'datapath/limits'],
    why: 'the protocol knows no routes and no traffic, only the limits it shares with the walk',
  },
  metrics: { folders: ['base'], why: 'values with names' },
  identity: {
    folders: ['base', 'crypto', 'wire'],
    why: 'who may say what follows from keys and records, not from who is there',
  },
  gossip: {
    folders: ['base', 'crypto', 'wire'],
    why: 'who is there and what is passed on, not what it means',
  },
  state: {
    folders: ['base', 'wire', 'crypto'],
    why: 'records are kept and compared, not understood',
  },
  ipam: {
    folders: ['base', 'crypto/blake2s', 'wire'],
    why: 'who has which address follows from what members claim',
  },
  enrol: {
    folders: ['base', 'crypto', 'wire', 'identity'],
    why: 'how a host becomes a member, before it is one',
  },
  mesh: {
    folders: [
      'base',
      'crypto',
      'wire',
      'identity',
      'gossip',
      'state',
      'ipam',
      'enrol',
      'session/constants',
    ],
    why: 'it composes what makes a mesh and knows neither sessions nor the world',
  },
  datapath: {
    folders: ['base', 'crypto/suite', 'wire', 'policy', 'route', 'session', 'encap', 'path'],
    why: 'the walk calls the steps; no step and no control plane is called by them or called back',
  },
  node: {
    folders: [...PURE, 'policy', 'encap', 'mesh'],
    why: 'it composes the cores and knows no world',
  },
  api: {
    folders: ['base', 'metrics', 'node', 'mesh'],
    why: 'requests and responses are values over a snapshot; who carries them is for io',
  },
  io: {
    folders: [
      'base',
      'crypto',
      'wire',
      'metrics',
      'node',
      'mesh',
      'identity',
      'datapath',
      'route/host_plan',
      'encap/encapsulation',
      'encap/vxlan',
    ],
    why: 'a shell carries out actions, feeds inputs and drives a hand; it decides nothing',
  },
  daemon: { folders: EVERYTHING, why: 'wiring' },
  cli: { folders: EVERYTHING, why: 'wiring' },
  demo: { folders: EVERYTHING, why: 'wiring' },
};

/** The folders that may name what is outside the project. */
export const WORLDLY = ['io', 'daemon', 'cli', 'demo'];

export function folderOf(path: string): string {
  return path.split('/')[1] ?? '';
}

/** Imports that the table, or the form of an import, does not allow. */
export function checkImports(files: readonly SourceFile[]): string[] {
  return files.filter(isSource).flatMap((file) =>
    importsOf(file).flatMap(({ specifier, isReexport }) => {
      const reason = isReexport ? 'a barrel hides where a name lives' : judge(file.path, specifier);
      return reason === undefined ? [] : [`${file.path} imports "${specifier}": ${reason}`];
    }),
  );
}

/** Why `path` may not import `specifier`. */
function judge(path: string, specifier: string): string | undefined {
  const folder = folderOf(path);
  const allowed = IMPORT_TABLE[folder];
  if (allowed === undefined) return `the folder "${folder}" is not in the import table`;
  if (!specifier.startsWith('.')) {
    if (WORLDLY.includes(folder)) return undefined;
    return `only ${WORLDLY.join(', ')} may name a node: module or an npm package`;
  }
  const target = resolveImport(path, specifier);
  if (target === undefined) return 'an import is "./x.js" or "../folder/x.js"';
  const to = folderOf(target);
  const isAllowed =
    to === folder || allowed.folders.some((entry) => isInside(target, `src/${entry}`));
  return isAllowed ? undefined : `${folder} may not know ${to}: ${allowed.why}`;
}

function isInside(path: string, entry: string): boolean {
  return path === `${entry}.ts` || path.startsWith(`${entry}/`);
}

/**
 * The source that a relative import of a source in src names; undefined where it is not of an
 * allowed form.
 */
function resolveImport(path: string, specifier: string): string | undefined {
  if (!/^(\.\/|(\.\.\/)+)([a-z0-9_]+\/)*[a-z0-9_]+\.js$/.test(specifier)) return undefined;
  const segments = path.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '..') segments.pop();
    else if (part !== '.') segments.push(part);
  }
  return segments[0] === 'src' ? segments.join('/').replace(/\.js$/, '.ts') : undefined;
}

/** Cycles of imports that are still there when the program runs, types or not. */
export function checkCycles(files: readonly SourceFile[]): string[] {
  const edges = new Map<string, string[]>();
  for (const file of files.filter(isSource)) {
    const targets = importsOf(file).map(({ specifier }) => resolveImport(file.path, specifier));
    edges.set(
      file.path,
      targets.filter((target) => target !== undefined),
    );
  }
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) found.push(`import cycle: ${[...trail.slice(at), path].join(' -> ')}`);
    if (at >= 0 || done.has(path)) return;
    for (const target of edges.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of edges.keys()) visit(path, []);
  return found;
}

/** Sources that nobody imports, and why. */
const NOT_IMPORTED: Readonly<Record<string, string>> = {
  'src/cli/main.ts': 'a program starts here',
  'src/demo/main.ts': 'a program starts here',
  'src/wire/format.ts': 'for whoever looks for a fault: failing tests and trace logs',
  'src/datapath/coalesce.ts': 'joins packets as native does; test/twin compares them',
  'src/datapath/segment.ts': 'cuts super-packets as native does; test/twin compares them',
  'src/wire/virtio_net.ts': 'the twin of a header that native alone uses; test/twin compares them',
};

/** Sources that nothing under src imports. */
export function checkImported(files: readonly SourceFile[]): string[] {
  const sources = files.filter(isSource);
  const imported = new Set<string | undefined>(Object.keys(NOT_IMPORTED));
  for (const file of sources) {
    for (const { specifier } of importsOf(file)) imported.add(resolveImport(file.path, specifier));
  }
  return sources
    .filter(({ path }) => !imported.has(path) && !path.endsWith('.d.ts'))
    .map(({ path }) => `${path} is imported by nobody under src: it is dead, or a missing wire`);
}

/** Sources that need no test of their own, and why. */
const UNTESTED: Readonly<Record<string, string>> = {
  'src/demo/main.ts': 'run whole by test/demo/demo.test.ts',
  'src/demo/agent.ts': 'runs in the hosts of test/demo/demo.test.ts',
  'src/demo/agent_handle.ts': 'talks to the hosts of test/demo/demo.test.ts',
};

/** Sources without a test file of the same name, where they hold more than types and constants. */
export function checkTested(files: readonly SourceFile[]): string[] {
  const paths = new Set(files.map(({ path }) => path));
  const missing = files
    .filter((file) => isSource(file) && doesSomething(file) && UNTESTED[file.path] === undefined)
    .filter(({ path }) => !paths.has(testOf(path)))
    .map(({ path }) => `${path} has no test: ${testOf(path)}`);
  const stale = Object.keys(UNTESTED).filter(
    (path) => paths.has('src/base/bytes.ts') && (!paths.has(path) || paths.has(testOf(path))),
  );
  return [...missing, ...stale.map((path) => `${path} needs no exception from having a test`)];
}

function testOf(path: string): string {
  return path.replace(/^src\//, 'test/').replace(/\.ts$/, '.test.ts');
}

function doesSomething({ code }: SourceFile): boolean {
  return /^(export )?(async )?(function|class)\b/m.test(code);
}

function isSource({ path }: SourceFile): boolean {
  return /^src\/.*\.ts$/.test(path);
}
