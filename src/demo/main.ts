/**
 * The demo: three hosts in network namespaces form a mesh by join lines and carry real traffic,
 * while a capture on the wire between them looks for what they say. Everything it makes is removed
 * at its end, however that comes.
 *
 *   npm run demo
 *   npm run demo -- --datapath reference    packets carried by the readable hand
 *   npm run demo -- --seconds 10            of bulk TCP
 *   npm run demo -- --encapsulation vxlan   wireguard, vxlan-sealed, or in the clear vxlan, udp
 */

import * as fs from 'node:fs';
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { commandMesh, fetchMesh, fetchStatus } from '../cli/client.js';
import { EXIT } from '../cli/exit.js';
import { AgentHandle } from './agent_handle.js';
import { Capture, type CapturePlace, judgeCaptures } from './capture.js';
import { DemoError } from './command.js';
import {
  type DemoEncapsulation,
  type DemoOptions,
  ENCAPSULATIONS,
  isClear,
  writeConfigurations,
} from './configuration.js';
import { checkHost } from './host_check.js';
import {
  formatBulk,
  formatPeers,
  formatPings,
  formatStep,
  formatWire,
  type PairPings,
  type HostRows,
} from './report.js';
import {
  demoHosts,
  HOST_NAMES,
  makeFolder,
  makeNetwork,
  namespaceOf,
  removeNetwork,
  removeStale,
  SWITCH,
} from './topology.js';
import type { BulkResult } from './traffic.js';

const DEFAULT_BULK_SECONDS = 5;
/** How long the pairs after the first are measured. */
const SHORT_BULK_SECONDS = 2;
const PINGS = 5;
/** While bulk traffic flows, the captures look at one packet in so many. */
const SAMPLE = 64;
const INTERRUPTED = 130;

interface Options extends DemoOptions {
  readonly seconds: number;
}

/** Ends the demo early: Ctrl-C and its like. */
class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** What there is to unmake, and to wait with for an interruption. */
class Stage {
  readonly agents: AgentHandle[] = [];
  readonly captures: Capture[] = [];
  folder: string | undefined;
  /** From the first thing on that would have to be removed. */
  hasBegun = false;
  readonly #startedAt = performance.now();
  readonly #interrupted: Promise<never>;
  #isInterrupted = false;

  constructor() {
    this.#interrupted = new Promise((_, fail) => {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
        process.on(signal, () => {
          this.#isInterrupted = true;
          fail(new Interrupted());
        });
      }
    });
    this.#interrupted.catch(() => {});
  }

  step(name: string, detail: string): void {
    process.stdout.write(formatStep(performance.now() - this.#startedAt, name, detail));
  }

  /** Waits to the end of what must not be left half done, then notices an interruption. */
  async complete<T>(work: Promise<T>): Promise<T> {
    const result = await work;
    if (this.#isInterrupted) throw new Interrupted();
    return result;
  }

  /** Waits for what an interruption may cut short. */
  wait<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#interrupted]);
  }

  async capture(place: CapturePlace, marker: string): Promise<Capture> {
    const capture = await this.complete(Capture.open(place, marker));
    this.captures.push(capture);
    return capture;
  }

  /** Never throws: whatever can be removed is. */
  async unmake(): Promise<void> {
    await Promise.all([
      ...this.captures.map((capture) => capture.end()),
      ...this.agents.map((agent) => agent.end()),
    ]);
    try {
      await removeNetwork(process.pid);
    } catch (error) {
      process.stderr.write(`${describe(error)}\nThe next demo will try again\n`);
      process.exitCode = EXIT.failed;
    }
    if (this.folder !== undefined) fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

async function run(stage: Stage, options: Options): Promise<void> {
  checkHost();
  const stale = await stage.complete(removeStale());
  if (stale > 0) stage.step('cleanup', 'removed what an earlier demo left behind');
  const marker = `heddle-demo-${randomBytes(8).toString('hex')}`;
  await prepare(stage, options);

  const hub = { namespace: namespaceOf(process.pid, SWITCH), interfaces: HOST_NAMES };
  const outer = await stage.capture(hub, marker);
  const how = `${options.datapath} datapath, ${options.encapsulation}`;
  if (options.encapsulation === 'wireguard') await formMesh(stage, marker);
  else await stage.wait(Promise.all(stage.agents.map((agent) => agent.start(marker))));
  stage.step('daemons', `ready on ${HOST_NAMES.join(', ')}; ${how}`);
  const alpha = { namespace: namespaceOf(process.pid, 'alpha'), interfaces: ['heddle0'] };
  const inner = await stage.capture(alpha, marker);
  stage.step('capture', "every packet at the switch, and alpha's packets inside the tunnel");

  const rows = await exercise(stage, { marker, seconds: options.seconds }, [outer, inner]);
  stage.step('peers', 'as each daemon sees them; round trip and throughput as measured above');
  process.stdout.write(`\n${formatPeers(rows).join('\n')}\n\n`);
  await prove(stage, [inner, outer], options.encapsulation);
}

/** The first host founds a network, the others join it, each by a line that is pasted there. */
async function formMesh(stage: Stage, marker: string): Promise<void> {
  const [first, ...others] = stage.agents;
  if (!first) return;
  await stage.wait(first.start(marker, first.host.name));
  await learnAddresses(first);
  const [address = ''] = first.host.innerAddresses;
  stage.step('mesh', `${first.host.name} founds a network, and is ${address}`);
  for (const agent of others) {
    const line = await stage.wait(inviteOne(first));
    const pastedAt = performance.now();
    await stage.wait(agent.start(marker, agent.host.name, line));
    const pings = await stage.wait(agent.ping([address], 1, marker));
    requireAnswers([{ to: first.host.name, pings: [...pings] }]);
    const took = ((performance.now() - pastedAt) / 1_000).toFixed(2);
    await learnAddresses(agent);
    const what = `${agent.host.name} joins by one line, and is ${agent.host.innerAddresses[0]}`;
    stage.step('mesh', `${what}; ${took} s from paste to first sealed ping`);
  }
  // The last one's address reaches all others by gossip, a moment later.
  const { agents } = stage;
  const pings = agents.map((agent) => pingAll(agent, agents, marker, 1));
  requireAnswers((await stage.wait(Promise.all(pings))).flat());
}

async function inviteOne({ folders }: AgentHandle): Promise<string> {
  const result = await commandMesh(folders, {
    kind: 'invite',
    ttlSeconds: 600,
    uses: 1,
    groups: [],
    isAdmin: false,
    prefixes: [],
  });
  if (result.kind !== 'invited') throw new DemoError('The daemon makes no join line');
  return result.line;
}

/** In the mesh: those of IPv4 and IPv6. */
async function learnAddresses(agent: AgentHandle): Promise<void> {
  const { members } = await fetchMesh(agent.folders);
  const innerAddresses = members.find(({ isSelf }) => isSelf)?.addresses ?? [];
  agent.host = { ...agent.host, innerAddresses };
}

/** Namespaces, cables, files, and a process in each host. */
async function prepare(stage: Stage, options: Options): Promise<void> {
  stage.hasBegun = true;
  await stage.complete(makeNetwork(process.pid));
  stage.step('network', `${HOST_NAMES.join(', ')}: a network namespace each, joined by a switch`);
  const hosts = demoHosts(process.pid);
  stage.folder = makeFolder(process.pid);
  const folders = writeConfigurations(stage.folder, hosts, options);
  const files =
    options.encapsulation === 'wireguard' ? 'a heddle.yaml' : 'a private key and a heddle.yaml';
  stage.step('files', `${files} for each host, in ${stage.folder}`);
  for (const [i, host] of hosts.entries()) {
    const own = folders[i];
    if (own !== undefined) stage.agents.push(new AgentHandle(host, own));
  }
}

interface Exercise {
  readonly marker: string;
  readonly seconds: number;
}

/** Pings between all pairs, then bulk TCP between all pairs. */
async function exercise(
  stage: Stage,
  { marker, seconds }: Exercise,
  captures: readonly Capture[],
): Promise<HostRows[]> {
  const { agents } = stage;
  const pings = await stage.wait(
    Promise.all(agents.map((agent) => pingAll(agent, agents, marker, PINGS))),
  );
  for (const [i, agent] of agents.entries()) {
    stage.step('ping', `from ${agent.host.name}: ${formatPings(pings[i] ?? [])}`);
  }
  requireAnswers(pings.flat());
  for (const capture of captures) capture.sample(SAMPLE);
  const bulk = await pullAll(stage, seconds);
  return Promise.all(
    agents.map(async ({ host, folders }, i) => ({
      host: host.name,
      status: await fetchStatus(folders),
      pings: pings[i] ?? [],
      bulk: bulk.get(host.name) ?? new Map<string, BulkResult>(),
    })),
  );
}

async function pingAll(
  from: AgentHandle,
  agents: readonly AgentHandle[],
  marker: string,
  count: number,
): Promise<PairPings[]> {
  const others = agents.filter((agent) => agent !== from);
  const addresses = others.flatMap(({ host }) => host.innerAddresses);
  const pings = await from.ping(addresses, count, marker);
  return others.map(({ host }) => ({
    to: host.name,
    pings: pings.filter(({ address }) => host.innerAddresses.includes(address)),
  }));
}

function requireAnswers(pairs: readonly PairPings[]): void {
  for (const { to, pings } of pairs) {
    const silent = pings.find(({ roundTripsMs }) => roundTripsMs.length === 0);
    if (silent) throw new DemoError(`${to} does not answer at ${silent.address}`);
  }
}

/** By the names of a pair, in either order. */
type BulkByPair = Map<string, Map<string, BulkResult>>;

/** Each host takes from the next, one after the other; the first for the whole time. */
async function pullAll(stage: Stage, seconds: number): Promise<BulkByPair> {
  const { agents } = stage;
  const results: BulkByPair = new Map(agents.map(({ host }) => [host.name, new Map()]));
  for (const [i, from] of agents.entries()) {
    const to = agents[(i + 1) % agents.length];
    const address = from.host.innerAddresses[0];
    if (to === undefined || address === undefined) continue;
    const span = i === 0 ? seconds : Math.min(seconds, SHORT_BULK_SECONDS);
    const bulk = await stage.wait(to.pull(address, span));
    results.get(to.host.name)?.set(from.host.name, bulk);
    results.get(from.host.name)?.set(to.host.name, bulk);
    stage.step('bulk TCP', `${from.host.name} to ${to.host.name}: ${formatBulk(bulk)}`);
  }
  return results;
}

async function prove(
  stage: Stage,
  [innerCapture, outerCapture]: readonly [Capture, Capture],
  encapsulation: DemoEncapsulation,
): Promise<void> {
  const [inner, outer] = await stage.wait(
    Promise.all([innerCapture.report(), outerCapture.report()]),
  );
  const inside = `${inner.withMarker} of ${inner.packets} packets show the text that was sent`;
  stage.step('inside', `alpha's tunnel interface: ${inside} (1 in ${SAMPLE} of the bulk)`);
  stage.step('wire', formatWire(outer));
  const doubts = judgeCaptures(inner, outer, encapsulation);
  if (doubts.length > 0) throw new DemoError(`Nothing is proved: ${doubts.join(', ')}`);
  const shown = `${outer.withMarker} of ${outer.packets} packets on the wire show it`;
  if (isClear(encapsulation)) {
    stage.step(
      'in clear',
      `${shown}: ${encapsulation} has no seal, whoever is on the way reads it`,
    );
  } else stage.step('proof', `${shown}: no plaintext crossed`);
}

function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      datapath: { type: 'string', default: 'native' },
      seconds: { type: 'string', default: String(DEFAULT_BULK_SECONDS) },
      encapsulation: { type: 'string', default: 'wireguard' },
    },
  });
  const { datapath } = values;
  const seconds = Number(values.seconds);
  if (datapath !== 'native' && datapath !== 'reference') {
    throw new DemoError(`Cannot use the datapath "${datapath}": expected native or reference`);
  }
  if (!(seconds > 0 && seconds <= 3600)) {
    throw new DemoError(`Cannot send for "${values.seconds}" seconds: expected 0 to 3600`);
  }
  const encapsulation = ENCAPSULATIONS.find((each) => each === values.encapsulation);
  if (!encapsulation) {
    const expected = ENCAPSULATIONS.join(', ');
    throw new DemoError(
      `Cannot use the encapsulation "${values.encapsulation}": expected one of ${expected}`,
    );
  }
  return { datapath, seconds, encapsulation };
}

function describe(error: unknown): string {
  if (error instanceof DemoError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

async function main(): Promise<void> {
  const stage = new Stage();
  // Whoever reads our output may leave early; what was made must be removed all the same.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  try {
    await run(stage, readOptions(process.argv.slice(2)));
  } catch (error) {
    if (error instanceof Interrupted) stage.step('stopped', 'interrupted');
    else process.stderr.write(`\n${describe(error)}\n`);
    process.exitCode = error instanceof Interrupted ? INTERRUPTED : EXIT.failed;
  }
  await stage.unmake();
  if (stage.hasBegun) stage.step('removed', 'namespaces, daemons and files');
}

await main();
// A library's handle must not keep the demo.
process.exit();
