/**
 * `heddle up --dry-run`: what a start would make, line by line, and what would keep it from
 * starting. Reads the host and changes nothing.
 */

import { toBase64 } from '../../base/bytes.js';
import { SILENT } from '../../base/log.js';
import { readConfigFile } from '../../daemon/config_file.js';
import { checkNotTaken, checkPrivileges, HostError } from '../../daemon/host_check.js';
import { chooseMtu, planFor } from '../../daemon/host_planning.js';
import { wipeSecrets } from '../../daemon/secrets.js';
import { Host } from '../../io/host.js';
import { loadAddon } from '../../io/native.js';
import { Netlink } from '../../io/netlink.js';
import { SodiumSuite } from '../../io/sodium.js';
import type { ClearPeerConfig, Config, PeerConfig } from '../../node/config.js';
import { describePlanSteps } from '../../route/plan_text.js';
import { EXIT, type ExitCode } from '../exit.js';
import { harmless } from '../table.js';

const WHAT_WIDTH = 9;
const NAMED = 8;

/** Throws ConfigError for a faulty file. */
export async function dryRun(configFile: string): Promise<ExitCode> {
  const config = readConfigFile(configFile, new SodiumSuite());
  const host = new Host(new Netlink(loadAddon()), SILENT);
  const mtu = await chooseMtu(host, config, config.interface);
  const plan = planFor(config, mtu, host);
  const port = config.listenPort === 0 ? 'one that the kernel chooses' : config.listenPort;
  const lines: [what: string, text: string][] = [
    ['from', configFile],
    ...describePlanSteps(plan, config.interface).map(({ what, text }): [string, string] => [
      what,
      text,
    ]),
    ['port', `UDP ${port}, IPv4 and IPv6`],
    ...config.peers.map((peer): [string, string] => ['peer', describePeer(peer)]),
    ...config.clearPeers.map((peer): [string, string] => ['peer', describeClear(peer)]),
  ];
  wipeSecrets(config);
  for (const [what, text] of lines) {
    process.stdout.write(`${what.padEnd(WHAT_WIDTH)}${harmless(text)}\n`);
  }
  const obstacle = obstacleTo(config);
  process.stderr.write(`heddle: nothing was changed${obstacle ? `; ${obstacle}` : ''}\n`);
  return obstacle === undefined ? EXIT.ok : EXIT.failed;
}

function describePeer(peer: PeerConfig): string {
  const { endpoint, allowedIps, sealedVni } = peer;
  const at = endpoint ? ` at ${endpoint.host}:${endpoint.port}` : ', which must call first';
  const sealed = sealedVni === undefined ? '' : `, vxlan-sealed with VNI ${sealedVni}`;
  return `${peer.name} ${toBase64(peer.publicKey)}${at}${sealed}: ${listOf(allowedIps)}`;
}

function describeClear({ name, endpoint, carrier, allowedIps }: ClearPeerConfig): string {
  const kind = carrier.kind === 'udp' ? 'udp' : `vxlan with VNI ${carrier.vni}`;
  return `${name} at ${endpoint.text}, IN THE CLEAR by ${kind}: ${listOf(allowedIps)}`;
}

function listOf(prefixes: PeerConfig['allowedIps']): string {
  if (prefixes.length === 0) return 'no prefixes';
  const shown = prefixes.slice(0, NAMED).map(({ text }) => text);
  const hidden = prefixes.length - shown.length;
  return shown.join(', ') + (hidden > 0 ? ` and ${hidden} more` : '');
}

/** What would keep the start from succeeding now. */
function obstacleTo(config: Config): string | undefined {
  try {
    checkPrivileges();
    checkNotTaken(config);
    return undefined;
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return `a start would fail: ${error.message}`;
  }
}
