import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { meshOptions, readLine } from '../../../src/cli/commands/up_mesh.js';
import { EXIT } from '../../../src/cli/exit.js';
import { heddle } from '../../support/heddle.js';

const test = suite<{ folder: string }>('cli/commands/up_mesh');
/** What looks like a join line, and is none. */
const LINE = 'heddle1qqqsecretqqqqqqqqqqqqqqqqqqqq';

test.before.each((context) => {
  context.folder = fs.mkdtempSync(join(tmpdir(), 'heddle-'));
});
test.after.each((context) => fs.rmSync(context.folder, { recursive: true }));

async function faultOf(words: Parameters<typeof readLine>[0]): Promise<string> {
  try {
    meshOptions(words, await readLine(words));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return '';
}

test('up: the words for the mesh are judged, each by its name', async () => {
  const words = { name: 'web-1', announce: ['10.20.0.0/16'], subnet: '/24' };
  const options = meshOptions(words, undefined);
  assert.is(options.name, 'web-1');
  assert.is(options.subnetLength, 24);
  assert.equal(
    options.announce.map(({ text }) => text),
    ['10.20.0.0/16'],
  );
  assert.is(options.line, undefined);
  for (const [words, word] of [
    [{ name: 'Web 1' }, '--name'],
    [{ network: '' }, '--network'],
    [{ announce: ['10.20.0.0/33'] }, '--announce'],
    [{ subnet: '8' }, '--subnet'],
    [{ subnet: 'x' }, '--subnet'],
  ] as const) {
    assert.match(await faultOf(words), word);
  }
});

test('up: a join line comes from a file that others may not read', async ({ folder }) => {
  const file = join(folder, 'line');
  fs.writeFileSync(file, `${LINE}\n`, { mode: 0o600 });
  assert.is(await readLine({ joinFile: file }), `${LINE}\n`);
  assert.is(await readLine({}), undefined);
  const fault = await faultOf({ joinFile: file });
  assert.match(fault, 'no join line');
  assert.not.match(fault, LINE);
});

test('up: what is no join line is refused before anything is made, and not repeated', async ({
  folder,
}) => {
  const { code, out, err } = await heddle(folder, ['up', '--join'], `${LINE}\n`);
  assert.is(code, EXIT.failed);
  assert.match(err, 'This is no join line');
  assert.not.match(`${out}${err}`, LINE);
  assert.equal(fs.readdirSync(folder), []);
});

test('up: a join line that is none is refused before a daemon is started for it', async ({
  folder,
}) => {
  const { code, err } = await heddle(folder, ['up', '--detach', '--join'], `${LINE}\n`);
  assert.is(code, EXIT.failed);
  assert.match(err, /^heddle: This is no join line/);
  assert.equal(fs.readdirSync(folder), []);
});

test('up: a file that is not there is named', async ({ folder }) => {
  const { code, err } = await heddle(folder, ['up', '--join-file', join(folder, 'none')]);
  assert.is(code, EXIT.failed);
  assert.match(err, /^heddle: Cannot read .*none/);
});

const MISPLACED: readonly (readonly string[])[] = [
  ['up', '--join', LINE],
  ['up', `--join=${LINE}`],
  ['up', '--join-file', LINE],
  ['join', LINE],
  ['invite', LINE],
  [LINE],
];

for (const words of MISPLACED) {
  const shown = words.join(' ').replace(LINE, 'LINE');
  test(`up: a join line as an argument is refused, not repeated: ${shown}`, async (context) => {
    const { code, out, err } = await heddle(context.folder, words);
    assert.is(code, EXIT.usage);
    assert.not.match(`${out}${err}`, LINE);
    assert.not.match(err, 'defect');
  });
}

test.run();
