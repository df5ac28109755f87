import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseWgQuick } from '../../src/daemon/wg_quick.js';
import { type Remarks, SectionReader } from '../../src/daemon/wg_quick_section.js';

const test = suite('daemon/wg_quick_section');
const KEY = 'yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=';

function read(text: string): { reader: SectionReader; remarks: Remarks } {
  const [section] = parseWgQuick(`[Interface]\n${text}\n`).sections;
  if (!section) throw new Error('there is a section');
  const remarks: Remarks = { faults: [], notes: [] };
  return { reader: new SectionReader(section, remarks), remarks };
}

test('one: a second setting of the key is a fault of its line', () => {
  const { reader, remarks } = read('MTU = 1\nmtu = 2');
  assert.is(reader.one('mtu')?.value, '1');
  assert.equal(remarks.faults, [
    { line: 3, message: 'mtu stands in line 2 already; keep one of them' },
  ]);
});

test('list: entries of all lines, the empty ones left out', () => {
  const { reader } = read('AllowedIPs = a,b ,\nAllowedIPs =\nallowedips = c');
  assert.equal(
    reader.list('allowedips').map(({ value, line }) => [value, line]),
    [
      ['a', 2],
      ['b', 2],
      ['c', 4],
    ],
  );
});

test('key: one that is none is a fault that does not show it', () => {
  assert.is(read(`PrivateKey = ${KEY}`).reader.key('privatekey')?.bytes.length, 32);
  assert.is(read('').reader.key('privatekey'), undefined);
  const { reader, remarks } = read(`PrivateKey = ${KEY}x`);
  assert.is(reader.key('privatekey'), undefined);
  assert.match(remarks.faults[0]?.message ?? '', 'found text of 45 characters');
  assert.not.match(remarks.faults[0]?.message ?? '', 'yAnz');
});

const NUMBERS: readonly (readonly [value: string, number: number | undefined])[] = [
  ['7', 7],
  ['0x1f', 31],
  ['off', 0],
  ['OFF', 0],
  ['100', 100],
  ['101', undefined],
  ['-1', undefined],
  ['1.5', undefined],
  ['auto', undefined],
  ['', undefined],
];

test('number: decimal, hexadecimal, or a word for none', () => {
  for (const [value, number] of NUMBERS) {
    const { reader, remarks } = read(`FwMark = ${value}`);
    assert.is(reader.number('fwmark', 100, 'off'), number, value);
    assert.is(remarks.faults.length, number === undefined ? 1 : 0);
  }
});

test('others: are the settings of keys that nobody asked for', () => {
  const { reader } = read('MTU = 1\nDNS = 2\nAddress = 3');
  reader.one('mtu');
  reader.all('address');
  assert.equal(
    reader.others().map(({ name }) => name),
    ['DNS'],
  );
});

test.run();
