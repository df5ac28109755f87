import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type InterfaceAddress, parseInterfaceAddress } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { HostAddresses } from '../../src/io/host_addresses.js';
import { NetlinkError } from '../../src/io/netlink.js';

const test = suite('io/host_addresses');

const INDEX = 3;
const onLink = (text: string): InterfaceAddress => present(parseInterfaceAddress(text), text);
const [FIRST, SECOND, SIX] = [onLink('10.0.0.1/24'), onLink('10.0.0.2/24'), onLink('fd00::1/64')];
const ALL = [FIRST, SECOND, SIX];

/** Refuses what has one of these texts, with the code. */
function scene(refuses: Readonly<Record<string, string>> = {}) {
  const calls: string[] = [];
  const call = (verb: string) => (index: number, address: InterfaceAddress) => {
    assert.is(index, INDEX);
    const code = refuses[`${verb} ${address.text}`];
    if (code !== undefined) throw new NetlinkError(verb, code);
    calls.push(`${verb} ${address.text}`);
  };
  const netlink = { addAddress: call('add'), deleteAddress: call('delete') };
  return { calls, addresses: new HostAddresses(netlink) };
}

test('addresses: are added once, and taken back the last first', () => {
  const { calls, addresses } = scene();
  assert.equal(addresses.add(INDEX, ALL, []), ALL);
  assert.equal(addresses.add(INDEX, ALL, []), []);
  assert.equal(addresses.keepOnly(INDEX, [SECOND]), [SIX, FIRST]);
  assert.equal(calls, [
    ...ALL.map(({ text }) => `add ${text}`),
    `delete ${SIX.text}`,
    `delete ${FIRST.text}`,
  ]);
});

test('addresses: one that is refused takes those before it along', () => {
  const { calls, addresses } = scene({ [`add ${SECOND.text}`]: 'EEXIST' });
  assert.throws(() => addresses.add(INDEX, ALL, []), /EEXIST/);
  assert.equal(calls, [`add ${FIRST.text}`, `delete ${FIRST.text}`]);
  assert.equal(addresses.keepOnly(INDEX, []), []);
});

test('addresses: a host without IPv6 gets the others, and never the one again', () => {
  const { calls, addresses } = scene({ [`add ${SIX.text}`]: 'EACCES' });
  const skipped: string[] = [];
  assert.equal(addresses.add(INDEX, ALL, skipped), [FIRST, SECOND]);
  assert.is(skipped.length, 1);
  calls.length = 0;
  addresses.repair(INDEX, []);
  assert.equal(calls, [`add ${FIRST.text}`, `add ${SECOND.text}`]);
});

test('addresses: gone already is no fault, another refusal is', () => {
  const { addresses } = scene({
    [`delete ${FIRST.text}`]: 'EADDRNOTAVAIL',
    [`delete ${SECOND.text}`]: 'EPERM',
  });
  addresses.add(INDEX, ALL, []);
  addresses.keepOnly(INDEX, [SECOND]);
  assert.throws(() => addresses.keepOnly(INDEX, []), /EPERM/);
});

test('addresses: what is missing on the interface is added again, and counted', () => {
  const { calls, addresses } = scene();
  addresses.add(INDEX, ALL, []);
  calls.length = 0;
  const at = (interfaceIndex: number) => (address: InterfaceAddress) => ({
    interfaceIndex,
    address,
    isGlobal: true,
  });
  assert.equal(addresses.repair(INDEX, ALL.map(at(INDEX))), { count: 0, refusals: [] });
  const placed = [...[FIRST].map(at(INDEX)), ...[SECOND].map(at(INDEX + 1))];
  assert.equal(addresses.repair(INDEX, placed), { count: 2, refusals: [] });
  assert.equal(calls, [`add ${SECOND.text}`, `add ${SIX.text}`]);
});

test('addresses: what cannot be put right is told, and does not stop the rest', () => {
  const refuses: Record<string, string> = {};
  const { addresses } = scene(refuses);
  addresses.add(INDEX, ALL, []);
  refuses[`add ${FIRST.text}`] = 'EPERM';
  const { count, refusals } = addresses.repair(INDEX, []);
  assert.is(count, 2);
  assert.match(refusals[0] ?? '', /EPERM/);
});

test.run();
