/**
 * What `heddle up` was told of the mesh, judged; and the join line, which comes from a prompt, from
 * standard input or from a file, and never from the command line, where anybody could read it.
 */

import { createInterface } from 'node:readline';
import { parsePrefix, type Prefix } from '../../base/address.js';
import { GREATEST_SUBNET, LEAST_SUBNET, type MeshOptions } from '../../daemon/mesh_options.js';
import { type JoinLine, parseJoinLine } from '../../identity/join_line.js';
import { FileError, readPrivateFile } from '../../io/files.js';
import { isHostName } from '../../wire/join.js';
import { CommandError, EXIT } from '../exit.js';
import { isJoinLine } from '../hidden_lines.js';

const LINE_LIMIT = 4_096;

/** The words of the command line. */
export interface MeshWords {
  readonly join?: true;
  readonly joinFile?: string;
  readonly name?: string;
  readonly network?: string;
  readonly announce?: readonly string[];
  readonly subnet?: string;
  readonly acceptDefaultRoutes?: true;
  readonly newIdentity?: true;
}

/** `lineText`: as `readLine` has it. Throws CommandError: what is wrong with which word. */
export function meshOptions(words: MeshWords, lineText: string | undefined): MeshOptions {
  const { name, network, subnet } = words;
  checkName('--name', name);
  checkName('--network', network);
  return {
    name,
    networkName: network,
    announce: (words.announce ?? []).map(prefixOf),
    subnetLength: subnet === undefined ? undefined : subnetLength(subnet),
    acceptsDefaultRoutes: words.acceptDefaultRoutes === true,
    isNewIdentity: words.newIdentity === true,
    line: lineText === undefined ? undefined : parsedLine(lineText),
  };
}

/** The text of the join line; undefined where none is wanted. Throws CommandError. */
export async function readLine({ join, joinFile }: MeshWords): Promise<string | undefined> {
  if (joinFile !== undefined) return lineIn(joinFile);
  if (!join) return undefined;
  return process.stdin.isTTY ? prompt() : readInput();
}

function lineIn(file: string): string {
  if (isJoinLine(file)) {
    throw new CommandError(EXIT.usage, `--join-file takes the name of a file, and not ${file}`);
  }
  try {
    return new TextDecoder().decode(readPrivateFile(file, LINE_LIMIT));
  } catch (error) {
    if (error instanceof FileError) throw new CommandError(EXIT.failed, error.message);
    throw error;
  }
}

function parsedLine(text: string): JoinLine {
  const parsed = parseJoinLine(text);
  if (parsed.kind === 'line') return parsed.line;
  throw new CommandError(EXIT.failed, parsed.message);
}

function prompt(): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  return new Promise((done) => {
    terminal.on('close', () => done(''));
    terminal.question('Join line (from `heddle up` or `heddle invite`): ', (line) => {
      done(line);
      terminal.close();
    });
  });
}

async function readInput(): Promise<string> {
  let text = '';
  process.stdin.setEncoding('utf8');
  for await (const chunk of process.stdin) {
    text += String(chunk);
    if (text.length > LINE_LIMIT || text.includes('\n')) break;
  }
  return text;
}

function checkName(word: string, name: string | undefined): void {
  if (name === undefined || isHostName(name)) return;
  const what = 'small letters, digits and hyphens, at most 63 of them';
  throw new CommandError(EXIT.usage, `${word} takes ${what}`);
}

function prefixOf(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix) return prefix;
  throw new CommandError(EXIT.usage, '--announce takes a prefix, as in 10.20.0.0/16');
}

function subnetLength(text: string): number {
  const length = /^\/?(\d{1,2})$/.exec(text)?.[1];
  const number = Number(length);
  if (length !== undefined && number >= LEAST_SUBNET && number <= GREATEST_SUBNET) return number;
  const range = `${LEAST_SUBNET} to ${GREATEST_SUBNET}`;
  throw new CommandError(EXIT.usage, `--subnet takes the length of a prefix, ${range}`);
}
