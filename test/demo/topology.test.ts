import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { demoHosts, HOST_NAMES, namespaceOf, ownerOf } from '../../src/demo/topology.js';

const test = suite('topology');

test('topology: gives every host addresses and a namespace of its own', () => {
  const hosts = demoHosts(7);
  assert.equal(
    hosts.map(({ name }) => name),
    [...HOST_NAMES],
  );
  const own = hosts.flatMap((host) => [host.namespace, host.outerAddress, ...host.innerAddresses]);
  assert.is(new Set(own).size, own.length);
});

/** Names found on a host, and the demo that made them. */
const OWNERS: readonly [string, number | undefined, string][] = [
  [namespaceOf(4194303, 'alpha'), 4194303, 'a namespace'],
  ['heddle-demo-12-AbCdEf', 12, 'a folder'],
  ['heddle-demo-12', undefined, 'nothing after the number'],
  ['heddle-demo-x-alpha', undefined, 'no number'],
  ['my-heddle-demo-12-alpha', undefined, 'a name of somebody else'],
  ['cni-1234', undefined, 'a name of somebody else'],
];

test('topology: tells what a demo made from what others did', () => {
  for (const [name, pid, why] of OWNERS) assert.is(ownerOf(name), pid, `${name}: ${why}`);
});

test.run();
