import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readFileSync } from 'node:fs';
import { spliceReadme } from '../../bench/readme.js';

const test = suite('readme');

const BEGIN = '<!-- what follows is written by `npm run bench` -->';
const END = '<!-- end of what `npm run bench` writes -->';

test('readme: what a run writes replaces what the last one wrote, and nothing else', () => {
  const text = `# Title\n\nprose\n\n${BEGIN}\n\nold | table\n\n${END}\n\nmore\n`;
  const spliced = spliceReadme(text, '\nnew $& $1\n');
  assert.is(spliced, `# Title\n\nprose\n\n${BEGIN}\n\nnew $& $1\n\n${END}\n\nmore\n`);
  assert.is(spliceReadme(spliced, 'new $& $1'), spliced);
});

const REFUSED: readonly [string, string][] = [
  ['no marks', 'text'],
  ['no end', `${BEGIN}\n`],
  ['the end first', `${END}\n${BEGIN}\n`],
  ['two beginnings', `${BEGIN}\n${BEGIN}\n${END}\n`],
  ['two ends', `${BEGIN}\n${END}\n${END}\n`],
];

for (const [why, text] of REFUSED) {
  test(`readme: a file with ${why} is left alone`, () => {
    assert.throws(() => spliceReadme(text, 'new'), /each once/);
  });
}

test('readme: the file of this tree has its marks', () => {
  const file = new URL('../../../bench/README.md', import.meta.url);
  assert.match(spliceReadme(readFileSync(file, 'utf8'), 'figures'), /\n\nfigures\n\n/);
});

test.run();
