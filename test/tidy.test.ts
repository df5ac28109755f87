/**
 * The house rules as a test. Every rule is shown two things: the tree, in which it must find
 * nothing, and a few lines that break it, in which it must find exactly what is wrong.
 */

import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { blankOut, makeSource, readSources, type SourceFile } from './support/source.js';
import { checkCycles, checkImported, checkImports, checkTested } from './support/tidy_imports.js';
import {
  checkFileSizes,
  checkFirstComments,
  checkFunctions,
  checkLines,
  checkWireFiles,
} from './support/tidy_layout.js';
import {
  checkBannedNames,
  checkEmptyWords,
  checkForeignWords,
  checkForms,
  checkTestsRun,
} from './support/tidy_names.js';
import { checkSharedLists, checkTwins } from './support/tidy_twins.js';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

interface Rule {
  readonly name: string;
  readonly check: (files: readonly SourceFile[]) => string[];
  /** Files that break the rule, by path. */
  readonly bad: Readonly<Record<string, string>>;
  /** What it must find in them, in order. */
  readonly finds: readonly RegExp[];
}

/** Of what is found in the tree, this much is shown. */
const LISTED = 40;

const LONG_FUNCTION = `function f(\n  a: number,\n): void {\n${'  a;\n'.repeat(57)}}\n`;
const DROP_TS = `export const DROPS = [\n  'no_route', // a 'comment'\n  'mac1',\n] as const;`;
const DROP_H =
  'enum class Drop : uint8_t {\n  mac1,\n  noRoute,\n  none,\n};\nkDropNames = {"no_route"};';
const COUNTERS_TS = `const WALK_COUNTERS = ['a'] as const;
const NATIVE_COUNTERS = ['b_c'] as const;`;
const COUNTERS_H = 'enum class Counter : uint8_t { a, bC, };\nkCounterNames = {"a", "b_c"};';

const RULES: readonly Rule[] = [
  {
    name: 'imports follow the table, and say where a name lives',
    check: checkImports,
    bad: {
      'src/wire/a.ts': `import { x } from '../session/b.js';`,
      'src/session/b.ts': `import * as fs from 'node:fs';\nimport type { a } from '../wire/a.js';`,
      'src/path/c.ts': `import type { S } from '../crypto/suite.js';
import { K } from '../crypto/keys.js';`,
      'src/io/d.ts': `import * as fs from 'node:fs';\nimport {\n  n,\n} from '../node/node';`,
      'src/new/e.ts': `import { x } from '../base/x.js';`,
      'src/base/f.ts': `export { x } from './g.js';`,
      'src/node/g.ts': `// import { x } from '../io/x.js';
const s = "import { x } from '../io/x.js'";`,
    },
    finds: [
      /wire\/a\.ts .* wire may not know session: a format/,
      /session\/b\.ts .*"node:fs": only io/,
      /path\/c\.ts .*crypto\/keys/,
      /io\/d\.ts .*an import is/,
      /new\/e\.ts .*not in the import table/,
      /base\/f\.ts .*barrel/,
    ],
  },
  {
    name: 'imports run in no circle',
    check: checkCycles,
    bad: {
      'src/base/a.ts': `import { b } from './b.js';`,
      'src/base/b.ts': `import type { c } from './c.js';`,
      'src/base/c.ts': `import { a } from './a.js';`,
      'src/base/d.ts': `import { a } from './a.js';`,
    },
    finds: [/a\.ts -> src\/base\/b\.ts -> src\/base\/c\.ts -> src\/base\/a\.ts$/],
  },
  {
    name: 'every source is imported by another',
    check: checkImported,
    bad: {
      'src/cli/main.ts': `await import('./used.js');`,
      'src/cli/used.ts': '',
      'src/cli/lost.ts': '',
    },
    finds: [/lost\.ts/],
  },
  {
    name: 'every source with code in it has a test of its name',
    check: checkTested,
    bad: {
      'src/base/a.ts': 'export function f(): void {}',
      'src/base/b.ts': 'export const B = 1;',
      'test/base/b.test.ts': '',
      'src/base/types.ts': 'export interface T { readonly a: number }',
    },
    finds: [/base\/a\.ts has no test: test\/base\/a\.test\.ts/],
  },
  {
    name: 'pure folders name nothing of the world',
    check: checkBannedNames,
    bad: {
      'src/session/a.ts': [
        'setTimeout(f, 1); // process',
        'const at = Date.now() + Math.random();',
        'async function f(): Promise<void> {}',
        'const text = `process $' + '{Buffer.from(x)} console`;',
        'this.process(x); x.performance; interface UpDate {}',
      ].join('\n'),
      'src/io/b.ts': 'process.exit(1);',
    },
    finds: [
      /a\.ts:4 names `Buffer`/,
      /a\.ts:1 names `setTimeout`; use deadline/,
      /a\.ts:3 names `async`/,
      /a\.ts:3 names `Promise`/,
      /a\.ts:2 names `Date`/,
      /a\.ts:2 names `Math\.random`/,
    ],
  },
  {
    name: 'nothing is named by a word that says nothing',
    check: checkEmptyWords,
    bad: {
      'src/base/byte_utils.ts': '',
      'src/base/a.ts': 'export class PeerManager {}\nexport function doubt(): void {}',
      'native/io/data.h': '',
    },
    finds: [/byte_utils/, /a\.ts:1 exports "PeerManager"/, /native\/io\/data\.h/],
  },
  {
    name: 'no module state, inheritance, or export apart from its declaration',
    check: checkForms,
    bad: {
      'src/base/a.ts': 'let count = 0;\nclass A extends B {}\nclass AError extends Error {}',
      'src/base/b.ts': 'const x = 1;\nexport { x };\nfunction f(): void {\n  let y = 1;\n}',
    },
    finds: [/a\.ts:1 has `let`/, /a\.ts:2 has/, /b\.ts:2 has/],
  },
  {
    name: 'nothing unfinished lands, and nothing that only one machine knows',
    check: checkForeignWords,
    bad: {
      'README.md': `${'FIX'}${'ME'} later\nsee /${'wo'}rk/main
../shared/x is fine, and network/main too`,
      'src/base/a.ts': `// asked for in ${'iss'}ue 12`,
    },
    finds: [/README\.md:1/, /README\.md:2 .*a path of one machine/, /a\.ts:1/],
  },
  {
    name: 'every test file runs all its tests',
    check: checkTestsRun,
    bad: {
      'test/base/a.test.ts': `test('a', () => {});\n// test.run();`,
      'test/base/b.test.ts': `test.only('a', () => {});\ntest.run();`,
    },
    finds: [/a\.test\.ts never calls/, /b\.test\.ts:1 runs only/],
  },
  {
    name: 'lines fit into 100 columns',
    check: checkLines,
    bad: {
      'src/base/a.ts': `${'é'.repeat(100)}\n${'e'.repeat(101)}\n'${'e'.repeat(99)}',\n`,
      'test/base/a.test.ts': `  '${'e'.repeat(99)}',\n  f('${'e'.repeat(99)}');\n`,
    },
    finds: [/a\.ts:2 has 101/, /a\.ts:3 has 102/, /a\.test\.ts:2 has 107/],
  },
  {
    name: 'files hold one concept',
    check: checkFileSizes,
    bad: {
      'src/base/a.ts': '\n'.repeat(401),
      'src/base/b.ts': '\n'.repeat(400),
      'test/base/a.test.ts': '\n'.repeat(600),
    },
    finds: [/src\/base\/a\.ts has 401/],
  },
  {
    name: 'functions fit on a screen',
    check: checkFunctions,
    bad: {
      'src/base/a.ts': LONG_FUNCTION,
      'src/base/b.ts': LONG_FUNCTION.replace('  a;\n', ''),
      'native/base/a.cc': `void f(int a) {\n${'  a();\n'.repeat(59)}}\n`,
    },
    finds: [/src\/base\/a\.ts:1 is 61 lines/, /native\/base\/a\.cc:1 is 61 lines/],
  },
  {
    name: 'every source says first what it is',
    check: checkFirstComments,
    bad: {
      'src/base/a.ts': 'const x = 1;',
      'src/base/b.ts': '/** What it is. */',
      'native/base/c.h': '// What it is.',
      'src/demo/d.py': '#!/usr/bin/env python3\n"""What it is."""',
      'src/base/e.ts': '/** */\nconst abc = 1;'.replace(/abc/, 'a'),
    },
    finds: [/a\.ts/],
  },
  {
    name: 'a wire file has its source, diagram, offsets, parse and emit',
    check: checkWireFiles,
    bad: { 'src/wire/a.ts': '/** RFC 768.\n *  | port | port |\n */\nconst PORT = 2;\n' },
    finds: [/lacks parse/, /lacks emit/],
  },
  {
    name: 'every C++ file has its TypeScript twin, or a reason',
    check: checkTwins,
    bad: {
      'native/route/trie.h': '',
      'native/session/replay.h': '',
      'src/session/replay.ts': '',
      'native/io/lane.cc': '',
      'native/crypto/aead.h': '',
      'src/crypto/aead.ts': '',
    },
    finds: [/route\/trie\.h has no twin src\/route\/trie\.ts/, /crypto\/aead has a twin/],
  },
  {
    name: 'both hands list the same drops and counters in the same order',
    check: checkSharedLists,
    bad: {
      'src/datapath/drop.ts': DROP_TS,
      'native/datapath/drop.h': DROP_H,
      'src/datapath/counters.ts': COUNTERS_TS,
      'native/datapath/counters.h': COUNTERS_H,
    },
    finds: [
      /kDropNames differ at 1: "mac1" and "nothing"/,
      /Drop differ at 0: "no_route" and "mac1"/,
    ],
  },
];

const test = suite('tidy');
const tree = readSources(ROOT);

for (const { name, check, bad, finds } of RULES) {
  test(`tidy: ${name}`, () => {
    const found = check(tree);
    const more = found.length > LISTED ? `\nand ${found.length - LISTED} more` : '';
    assert.is(found.length, 0, `${found.slice(0, LISTED).join('\n')}${more}`);
  });
  test(`tidy: finds where it is not so that ${name}`, () => {
    const found = check(Object.entries(bad).map(([path, text]) => makeSource(path, text)));
    assert.is(found.length, finds.length, found.join('\n'));
    for (const [i, pattern] of finds.entries()) assert.match(found[i] ?? '', pattern);
  });
}

/** Text, and what of it is code. */
const BLANKED: readonly [string, string][] = [
  ['a; // b', 'a;     '],
  ['/* a\nb */ c', '    \n     c'],
  [`x('a\\'b') + "c"`, `x(      ) +    `],
  ['`a $' + '{b + `c $' + '{d}`} e` f', '     b +      d     f'],
  ['x = /["`]/.test(y) / z', 'x =       .test(y) / z'],
  ['{ `$' + '{ { a } }` } `b`', '{     { a }   }    '],
];

test('tidy: tells code from comments and literals', () => {
  for (const [text, expected] of BLANKED) {
    const found = blankOut(text);
    assert.is(found.length, text.length, text);
    assert.is(found.replace(/\s+/g, ' ').trim(), expected.replace(/\s+/g, ' ').trim(), text);
  }
});

test.run();
