import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isZero } from '../../src/base/bytes.js';
import { SILENT } from '../../src/base/log.js';
import { createMesh, startMesh } from '../../src/daemon/open_mesh.js';
import type { MeshStart } from '../../src/daemon/tunnel.js';
import type { NodeLoop } from '../../src/io/loop.js';
import { SodiumSuite } from '../../src/io/sodium.js';
import type { MeshInput } from '../../src/mesh/input.js';
import type { NodeInput } from '../../src/node/input.js';

const test = suite('daemon/open_mesh');

test('open mesh: the core is given its keys, and nobody else keeps them', () => {
  const fed: MeshInput[] = [];
  let identity: number | undefined;
  const handle = (input: NodeInput): void => {
    if (input.kind !== 'mesh') return;
    fed.push(input.input);
    if (input.input.kind === 'start') identity = input.input.setup.keys.identity[0];
  };
  const keys = {
    identity: new Uint8Array(32).fill(1),
    staticKey: new Uint8Array(32).fill(2),
    nextStaticKey: undefined,
    admin: undefined,
    root: undefined,
  };
  const options = {
    line: undefined,
    name: 'alpha',
    networkName: undefined,
    announce: [],
    subnetLength: undefined,
    acceptsDefaultRoutes: false,
    isNewIdentity: false,
  };
  const kept = { keys, own: undefined, records: [], remarks: [] };
  const start = { options, kept } as unknown as MeshStart;
  const netlink = {
    addresses: () => [],
    destinations: () => [],
    lookUpRoute: () => undefined,
  };
  startMesh(start, { handle } as unknown as NodeLoop, {
    netlink,
    interfaceIndex: 1,
    listenPort: 7,
    mark: 0,
  });
  assert.is(fed.length, 1);
  assert.is(identity, 1, 'as it was when it was given');
  assert.ok(isZero(keys.identity) && isZero(keys.staticKey));
});

test('open mesh: a core that was not started is in no network', () => {
  assert.is(createMesh(new SodiumSuite(), SILENT).snapshot().phase, 'none');
});

test.run();
