import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cutToWidth, displayWidth, formatTable, harmless } from '../../src/cli/table.js';

const test = suite('cli/table');

const WIDTHS: readonly (readonly [string, number, string])[] = [
  ['abc', 3, 'ASCII'],
  ['é', 1, 'composed'],
  ['e\u0301', 1, 'combining'],
  ['東京', 4, 'ideographs'],
  ['한', 2, 'hangul'],
  ['ｆｕ', 4, 'full width'],
  ['🙂', 2, 'beyond the basic plane'],
  ['ｱ', 1, 'half width'],
];

for (const [text, width, reason] of WIDTHS) {
  test(`width: ${reason}`, () => assert.is(displayWidth(text), width));
}

test('table: columns stand under their titles whatever the script', () => {
  const columns = [
    { title: 'NAME', align: 'left' },
    { title: 'BYTES', align: 'right' },
    { title: 'LAST', align: 'left' },
  ] as const;
  const lines = formatTable(columns, [
    ['東京', '1', 'a'],
    ['b', '12345678', ''],
  ]);
  assert.equal(lines, ['NAME     BYTES  LAST', '東京         1  a', 'b     12345678']);
});

test('cut: keeps whole characters and shows that something is missing', () => {
  assert.is(cutToWidth('東京都', 6), '東京都');
  assert.is(cutToWidth('東京都', 5), '東京…');
  assert.is(cutToWidth('東京都', 4), '東…');
  assert.is(cutToWidth('abc', 1), '…');
});

test('harmless: nothing that moves a cursor, hides or turns text is left', () => {
  assert.is(harmless('a\u001b[31mb'), 'a\\u{1b}[31mb');
  assert.is(harmless('\u202eabc\u200b\r\n\u009b'), '\\u{202e}abc\\u{200b}\\u{d}\\u{a}\\u{9b}');
  assert.is(harmless('東京 é🙂'), '東京 é🙂');
});

test.run();
