/**
 * What the demo needs of this host, asked first, so that the answer is a sentence with its remedy.
 */

import * as fs from 'node:fs';
import { delimiter, join } from 'node:path';
import { DemoError } from './command.js';

/** The system's own where there is one: a wrapper before it on the path would only be slower. */
export const PYTHON = fs.existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';

export interface HostFacts {
  readonly isRoot: boolean;
  readonly hasTun: boolean;
  readonly hasIp: boolean;
  readonly hasPython: boolean;
  /** CapEff of /proc/self/status, as its text. */
  readonly capabilities: string;
}

const CAPABILITIES = [
  { bit: 12n, name: 'CAP_NET_ADMIN', option: 'NET_ADMIN', purpose: 'to make interfaces' },
  { bit: 13n, name: 'CAP_NET_RAW', option: 'NET_RAW', purpose: 'to capture and to ping' },
  { bit: 21n, name: 'CAP_SYS_ADMIN', option: 'SYS_ADMIN', purpose: 'to make network namespaces' },
] as const;

/** Throws DemoError, naming everything that is missing. */
export function checkHost(): void {
  const missing = judgeHost(readFacts());
  if (missing.length > 0) throw new DemoError(`The demo cannot run here:\n${missing.join('\n')}`);
}

function readFacts(): HostFacts {
  const status = fs.readFileSync('/proc/self/status', 'utf8');
  return {
    isRoot: process.geteuid?.() === 0,
    hasTun: fs.existsSync('/dev/net/tun'),
    hasIp: isOnPath('ip'),
    hasPython: fs.existsSync(PYTHON) || isOnPath(PYTHON),
    capabilities: /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0',
  };
}

/** One line a thing that is missing, with what to do. */
export function judgeHost(facts: HostFacts): string[] {
  const missing: string[] = [];
  if (!facts.isRoot) missing.push('- it must be root: sudo npm run demo');
  if (!facts.hasTun) {
    missing.push('- no /dev/net/tun: modprobe tun, or give the container --device /dev/net/tun');
  }
  if (!facts.hasIp) missing.push('- no `ip`: apt-get install -y iproute2');
  if (!facts.hasPython) missing.push('- no `python3`: apt-get install -y python3');
  const held = BigInt(`0x${facts.capabilities}`);
  for (const { bit, name, option, purpose } of facts.isRoot ? CAPABILITIES : []) {
    if (((held >> bit) & 1n) === 1n) continue;
    missing.push(`- no ${name}, ${purpose}: give the container --cap-add ${option}`);
  }
  return missing;
}

function isOnPath(command: string): boolean {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.some((folder) => folder !== '' && fs.existsSync(join(folder, command)));
}
