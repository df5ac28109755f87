import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DemoError, runCommand } from '../../src/demo/command.js';

async function failureOf(command: string, args: readonly string[]): Promise<unknown> {
  try {
    await runCommand(command, args);
  } catch (error) {
    return error;
  }
  return undefined;
}

const test = suite('command');

test('command: feeds standard input and returns standard output', async () => {
  const { output } = await runCommand('cat', [], 'as is\n');
  assert.is(output, 'as is\n');
});

test('command: a failure quotes the command and what it said', async () => {
  const error = await failureOf('sh', ['-c', 'echo no such device >&2; exit 2']);
  assert.instance(error, DemoError);
  assert.match(String(error), /"sh -c .*" failed: no such device$/);
});

test('command: a failure without words tells the exit code', async () => {
  assert.match(String(await failureOf('sh', ['-c', 'exit 3'])), /exit code 3/);
});

test('command: a command that is not there is a failure, not a crash', async () => {
  assert.match(String(await failureOf('/nonexistent/ip', [])), /ENOENT/);
});

test.run();
