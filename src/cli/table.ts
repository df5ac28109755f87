/**
 * Columns for a terminal: text from outside is made harmless, and its width is counted as a
 * terminal shows it.
 */

export interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
}

const GAP = '  ';

/**
 * Lines of aligned columns under their titles. Cells must be harmless already (`harmless`). The
 * last column is cut with an ellipsis where `width`, the columns of the terminal, is given.
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width?: number,
): string[] {
  const titles = columns.map((column) => column.title);
  const widths = columns.map((_, i) =>
    Math.max(...[titles, ...rows].map((row) => displayWidth(row[i] ?? ''))),
  );
  return [titles, ...rows].map((row) => {
    const cells = columns.map((column, i) => pad(row[i] ?? '', widths[i] ?? 0, column.align));
    const line = cells.join(GAP).trimEnd();
    return width === undefined ? line : cutToWidth(line, width);
  });
}

/**
 * Control, invisible and direction-changing characters spelled out, so that a name is a name and
 * nothing else.
 */
export function harmless(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\u2028\u2029]/gu, (each) => {
    return `\\u{${(each.codePointAt(0) ?? 0).toString(16)}}`;
  });
}

/**
 * Terminal columns that `text` takes: two for a wide character (Unicode UAX #11), none for one that
 * combines.
 */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/** `text` in at most `width` columns, with an ellipsis where something is missing. */
export function cutToWidth(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let cut = '';
  let used = 1;
  for (const character of text) {
    used += characterWidth(character);
    if (used > width) break;
    cut += character;
  }
  return `${cut}…`;
}

function pad(text: string, width: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return align === 'left' ? text + space : space + text;
}

/** The wide blocks of EastAsianWidth.txt, first and last code point, in order. */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1f9ff],
  [0x20000, 0x3fffd],
];

function characterWidth(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  if (/^[\p{Mn}\p{Me}]$/u.test(character)) return 0;
  return WIDE.some(([first, last]) => code >= first && code <= last) ? 2 : 1;
}
