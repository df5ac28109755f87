/**
 * Hosts on one switch, each with a real daemon in one mesh: started, killed, stopped, parted and
 * asked by the tests. State is kept in a folder a host, so that a start after a kill is one.
 */

import type { ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import type { MemberStatusDocument, MeshDocument } from '../../src/api/mesh_status.js';
import { type Finished, ip, Lab, type LabHost, requireTools, waitUntil } from '../support/netns.js';

const HEDDLE = fileURLToPath(new URL('../../../src/cli/heddle', import.meta.url));
const TOOLS = { ping: 'iputils-ping', nft: 'nftables' };
const START_LIMIT_MS = 30_000;

export class MeshEnd {
  readonly host: LabHost;
  readonly name: string;
  readonly folder: string;
  readonly #through: readonly string[];
  #child: ChildProcess | undefined;
  #said = '';

  constructor(lab: Lab, host: LabHost, name: string, through: readonly string[] = []) {
    this.host = host;
    this.name = name;
    this.folder = join(lab.folder, name);
    this.#through = through;
    mkdirSync(this.folder, { mode: 0o700 });
  }

  /** Everything that its daemons printed so far. */
  get said(): string {
    return this.#said;
  }

  get env(): Readonly<Record<string, string>> {
    const run = join(this.folder, 'run');
    return {
      HEDDLE_STATE_DIR: join(this.folder, 'state'),
      HEDDLE_RUN_DIR: run,
      HEDDLE_WG_DIR: run,
    };
  }

  /** Resolves when it says that it is ready. */
  async up(...words: readonly string[]): Promise<void> {
    const from = this.#said.length;
    const command = [...this.#through, HEDDLE, 'up', '--name', this.name, ...words];
    const child = this.host.start(command, this.env);
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (text) => {
        this.#said += text;
      });
    }
    await waitUntil(`heddle is ready in ${this.name}`, START_LIMIT_MS, () => {
      if (child.exitCode !== null) throw new Error(`heddle ended: ${this.#said}`);
      return /\bready\b/.test(this.#said.slice(from));
    });
  }

  /** Joins by this line, which is in a file that nobody else may read. */
  async join(line: string, ...words: readonly string[]): Promise<void> {
    const file = join(this.folder, 'line');
    writeFileSync(file, line, { mode: 0o600 });
    await this.up('--join-file', file, ...words);
  }

  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal);
  }

  /** As if the power went. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((done) => child.once('exit', done));
    child.kill('SIGKILL');
    await ended;
  }

  heddle(...words: readonly string[]): Promise<Finished> {
    return this.host.run([HEDDLE, ...words], { env: this.env });
  }

  async invite(...words: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.heddle('invite', ...words);
    if (code !== 0) throw new Error(`heddle invite exited with ${code}: ${stderr}`);
    return stdout;
  }

  async mesh(): Promise<MeshDocument> {
    const { code, stdout, stderr } = await this.heddle('members', '--json');
    if (code !== 0) throw new Error(`heddle members exited with ${code}: ${stderr}`);
    return JSON.parse(stdout) as MeshDocument;
  }

  async member(name: string): Promise<MemberStatusDocument | undefined> {
    return (await this.mesh()).members.find((member) => member.name === name);
  }
}

export class MeshLab {
  readonly lab = new Lab();
  readonly ends: MeshEnd[] = [];
  readonly #switch: LabHost;

  private constructor() {
    this.#switch = this.lab.host('s');
    ip(this.#switch, 'link', 'add', 'br0', 'type', 'bridge');
    ip(this.#switch, 'link', 'set', 'br0', 'up');
  }

  /** Removed when `use` ends. */
  static async with(use: (lab: MeshLab) => Promise<void>): Promise<void> {
    requireTools(TOOLS);
    const lab = new MeshLab();
    try {
      await use(lab);
    } finally {
      lab.lab.remove();
    }
  }

  /** A host at 192.0.2.N, where nothing runs yet. `through`: what its daemon is run by. */
  add(through: readonly string[] = []): MeshEnd {
    const number = this.ends.length + 1;
    const host = this.lab.host(`h${number}`);
    const port = `p${number}`;
    this.lab.link(port, [
      [host, [`192.0.2.${number}/24`]],
      [this.#switch, []],
    ]);
    ip(this.#switch, 'link', 'set', port, 'master', 'br0');
    const end = new MeshEnd(this.lab, host, `h${number}`, through);
    this.ends.push(end);
    return end;
  }

  /** So many, the first of which founds the network and invites the others, a line each. */
  async form(count: number): Promise<void> {
    const first = this.add();
    await first.up();
    for (let i = 1; i < count; i++) await this.add().join(await first.invite());
  }

  /** All see all alive, hold the same, have an address each, and reach each other. */
  async becomesWhole(limitMs: number, ends: readonly MeshEnd[] = this.ends): Promise<void> {
    let seen = '';
    await waitUntil('all see all', limitMs, async () => {
      const pictures = await Promise.all(ends.map((end) => end.mesh()));
      seen = pictures.map(summaryOf).join('\n');
      const digests = new Set(pictures.map(({ digest }) => digest));
      return digests.size === 1 && pictures.every((picture) => aliveIn(picture) >= ends.length);
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${seen}`);
    });
    const addresses = await Promise.all(ends.map(addressOf));
    assert.is(new Set(addresses).size, addresses.length, `an address each: ${addresses}`);
    await Promise.all(ends.map((end) => reachesAll(end, addresses)));
  }

  /** Nothing that comes from the other side is let in, on either side. */
  async part(some: readonly MeshEnd[]): Promise<void> {
    const others = this.ends.filter((end) => !some.includes(end));
    for (const [here, there] of [
      [some, others],
      [others, some],
    ] as const) {
      const from = there.map((end) => `192.0.2.${this.ends.indexOf(end) + 1}`).join(', ');
      const rules = [
        'table inet part {',
        'chain input { type filter hook input priority 0; policy accept;',
        `ip saddr { ${from} } drop`,
        '}',
        '}',
      ].join('\n');
      const file = join(this.lab.folder, 'part.nft');
      writeFileSync(file, rules);
      for (const { host } of here) await host.must(['nft', '-f', file]);
    }
  }

  async heal(): Promise<void> {
    for (const { host } of this.ends) await host.must(['nft', 'delete', 'table', 'inet', 'part']);
  }
}

function aliveIn({ members }: MeshDocument): number {
  return members.filter(({ status }) => status === 'alive').length;
}

function summaryOf({ self, digest, members }: MeshDocument): string {
  const states = members.map(({ name, status }) => `${name} ${status}`).sort();
  return `${self} ${digest}: ${states.join(', ')}`;
}

async function addressOf(end: MeshEnd): Promise<string> {
  const self = (await end.mesh()).members.find(({ isSelf }) => isSelf);
  return self?.addresses[0] ?? 'none';
}

/** Two tries each, for the first may be what makes the session. */
async function reachesAll(from: MeshEnd, addresses: readonly string[]): Promise<void> {
  const ping = (address: string): string => `ping -q -c 1 -W 2 ${address} >/dev/null`;
  const each = addresses.map(
    (address) => `${ping(address)} || ${ping(address)} || echo ${address}`,
  );
  const { stdout } = await from.host.run(['sh', '-c', each.join('; ')], { limitMs: 60_000 });
  assert.is(stdout.trim(), '', `${from.name} reaches everybody`);
}
