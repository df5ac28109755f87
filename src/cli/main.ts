/**
 * The `heddle` command: its words, their options, and where each is carried out. Every command is
 * loaded when it is called and not before, so that `heddle status` starts as fast as Node does.
 */

import { Command, CommanderError, Option } from 'commander';
import { VERSION } from '../daemon/version.js';
import type { ImportOptions } from './commands/import.js';
import type { ShowOptions } from './commands/show.js';
import { CommandError, EXIT } from './exit.js';
import { CONFIG_FILE, readFolders } from '../daemon/folders.js';
import { hideJoinLines } from './hidden_lines.js';
import { addMesh, collect } from './mesh_words.js';

const EXAMPLES = `
Examples:
  umask 077; heddle keygen > private.key   make a private key
  heddle pubkey < private.key             print the public key that the other end needs
  heddle check heddle.yaml                find every fault in a configuration file
  heddle import wg0.conf -o heddle.yaml   take over a wg-quick file
  heddle up --detach                      start with ${CONFIG_FILE}, or a mesh without one
  heddle up --detach --join               join the mesh of another host
  heddle members                          see who is in the mesh
  heddle status                           see who is connected
  heddle down                             stop, and leave the host as it was

Exit codes: 0 ok, 1 failed, 2 usage, 3 daemon not running, 4 degraded, 5 not permitted, 75 try later
Folders:    HEDDLE_STATE_DIR (/var/lib/heddle), HEDDLE_RUN_DIR (/run/heddle),
            HEDDLE_WG_DIR (/var/run/wireguard)`;

interface UpOptions {
  readonly config?: string;
  readonly default?: true;
  readonly detach?: true;
  readonly verbose?: true;
  readonly report?: boolean;
  readonly join?: true;
  readonly joinFile?: string;
  readonly name?: string;
  readonly network?: string;
  readonly announce?: readonly string[];
  readonly subnet?: string;
  readonly acceptDefaultRoutes?: true;
  readonly newIdentity?: true;
}

/** What `status --verbose` adds. */
const VERBOSE_STATUS = 'tell what the datapath runs on, too: offloads, ciphers, buffers';

interface JsonOption {
  readonly json?: true;
}

interface StatusOptions extends JsonOption {
  readonly verbose?: true;
}

function buildCommand(end: (code: number) => void): Command {
  const folders = readFolders(process.env);
  const program = new Command('heddle')
    .description('Sealed tunnels between hosts, WireGuard on the wire')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .addHelpText('after', EXAMPLES)
    .exitOverride()
    .configureOutput({ writeErr: (text) => process.stderr.write(hideJoinLines(text)) })
    .showSuggestionAfterError();
  addUp(program, end);
  program
    .command('down')
    .description('stop the daemon and wait until it is gone')
    .action(async () => {
      const { down } = await import('./commands/down.js');
      end(await down(folders));
    });
  program
    .command('cleanup')
    .description('remove what a daemon that was killed left in the host')
    .action(async () => {
      const { cleanup } = await import('./commands/cleanup.js');
      end(await cleanup(folders));
    });
  program
    .command('reload')
    .description('take over the changed configuration file; says what applies and what does not')
    .option('--json', 'print the result as JSON')
    .action(async (options: JsonOption) => {
      const { reload } = await import('./commands/reload.js');
      end(await reload(folders, options.json === true));
    });
  addMesh(program, end);
  addQueries(program, end);
  addKeys(program, end);
  return program;
}

function addUp(program: Command, end: (code: number) => void): void {
  const folders = readFolders(process.env);
  program
    .command('up')
    .description('start the daemon; it stays in the foreground until Ctrl-C')
    .addOption(new Option('-c, --config <file>', `configuration file (default: ${CONFIG_FILE})`))
    .addOption(new Option('--default', 'use the built-in configuration').conflicts('config'))
    .addOption(
      new Option('-n, --dry-run', 'print what a start would make, and change nothing').conflicts([
        'default',
        'detach',
      ]),
    )
    .option('-d, --detach', 'go to the background once traffic can flow')
    .option('-v, --verbose', 'log deviations too')
    .option('--join', 'join a network: asks for the join line, or reads it from standard input')
    .allowExcessArguments()
    .option('--join-file <file>', 'the same, and the line is in a file')
    .option('--name <name>', 'what this host is called in the mesh (default: its host name)')
    .option('--network <name>', 'what a new network is called (default: as this host)')
    .option('--announce <prefix>', 'a prefix behind this host; may be repeated', collect)
    .option('--subnet <length>', 'lease a subnet of this length for this host, as 24')
    .option('--accept-default-routes', 'take default routes that other members announce')
    .option('--new-identity', 'give up the identity of this host, and make another')
    .addOption(new Option('--report', 'report the start on descriptor 3').hideHelp())
    .action(async (options: UpOptions, command: Command) => {
      refuseWords(command.args);
      const { up } = await import('./commands/up.js');
      end(await up({ ...options, folders, version: VERSION }));
    });
}

/** A join line among them would be in the history of the shell by now, and is not repeated. */
function refuseWords(words: readonly string[]): void {
  if (words.length === 0) return;
  const advice = 'a join line is asked for, read from standard input, or from --join-file FILE';
  throw new CommandError(EXIT.usage, `\`heddle up\` takes no words but its options; ${advice}`);
}

function addQueries(program: Command, end: (code: number) => void): void {
  const folders = readFolders(process.env);
  program
    .command('status')
    .description('one screen: the interface, its peers, and what is wrong')
    .option('--json', 'print the status document')
    .addOption(new Option('-v, --verbose', VERBOSE_STATUS).conflicts('json'))
    .action(async (options: StatusOptions) => {
      const { status } = await import('./commands/status.js');
      end(await status(folders, options));
    });
  program
    .command('show')
    .description('all details, in the manner of `wg show`')
    .option('--json', 'print the status document')
    .addOption(new Option('--wg', 'print a wg(8) file, with its secrets').conflicts('json'))
    .action(async (options: ShowOptions) => {
      const { show } = await import('./commands/show.js');
      end(await show(folders, options));
    });
  program
    .command('metrics')
    .description("all counters in Prometheus' text format")
    .action(async () => {
      const { metrics } = await import('./commands/metrics.js');
      end(await metrics(folders));
    });
  program
    .command('import')
    .description('turn a wg-quick file into a configuration; says what it leaves out')
    .argument('<file>', 'wg-quick file, such as /etc/wireguard/wg0.conf')
    .option('-o, --output <file>', 'write there, mode 0600 (default: standard output)')
    .option('--force', 'replace the file that is there')
    .action(async (file: string, options: ImportOptions) => {
      const { importFile } = await import('./commands/import.js');
      end(importFile(file, options));
    });
  program
    .command('check')
    .description('find every fault in a configuration file')
    .argument('[file]', 'configuration file', CONFIG_FILE)
    .option('--json', 'print the result as JSON')
    .action(async (file: string, options: JsonOption) => {
      const { check } = await import('./commands/check.js');
      end(check(file, options.json === true));
    });
}

function addKeys(program: Command, end: (code: number) => void): void {
  program
    .command('keygen')
    .description('print a new private key')
    .action(async () => {
      const { keygen } = await import('./commands/keys.js');
      end(keygen());
    });
  program
    .command('pubkey')
    .description('read a private key on standard input, print its public key')
    .action(async () => {
      const { pubkey } = await import('./commands/keys.js');
      end(pubkey());
    });
  program
    .command('genpsk')
    .description('print a new preshared key')
    .action(async () => {
      const { genpsk } = await import('./commands/keys.js');
      end(genpsk());
    });
}

/** The exit code of an error, after its message went to standard error. */
function conclude(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof CommandError) {
    process.stderr.write(hideJoinLines(`heddle: ${error.message}\n`));
    return error.exitCode;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const message = `heddle: a defect of heddle itself, please report it: ${text}\n`;
  process.stderr.write(hideJoinLines(message));
  return EXIT.failed;
}

/** Whoever reads our output may leave early, as `head` does: then there is nobody to tell. */
function endQuietlyOnBrokenPipe(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}

endQuietlyOnBrokenPipe();
try {
  const program = buildCommand((code) => {
    process.exitCode = code;
  });
  if (process.argv.length <= 2) {
    program.outputHelp({ error: true });
    process.exitCode = EXIT.usage;
  } else {
    await program.parseAsync(process.argv);
  }
} catch (error) {
  process.exitCode = conclude(error);
}
