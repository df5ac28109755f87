/**
 * What a start needs of this host, asked before anything is made, so that the answer is a sentence
 * and not an errno.
 */

import * as fs from 'node:fs';
import {
  type Holder,
  interfaceExists,
  interfaceHolder,
  portHolder,
  portIsTaken,
} from '../io/holder.js';
import type { Config } from '../node/config.js';

/** The bit of CAP_NET_ADMIN in capability sets (capabilities(7)). */
const CAP_NET_ADMIN = 12n;

/** The host does not allow the start; the message says why and what to do. */
export class HostError extends Error {
  override readonly name = 'HostError';
  readonly code: 'NO_TUN' | 'NOT_PERMITTED' | 'INTERFACE_TAKEN' | 'PORT_TAKEN';

  constructor(code: HostError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** Throws HostError when this process can make no tunnel here at all. */
export function checkPrivileges(): void {
  if (!fs.existsSync('/dev/net/tun')) {
    throw new HostError(
      'NO_TUN',
      'There is no /dev/net/tun, so no tunnel interface can be made: run `modprobe tun`; ' +
        'in a container, start it with --device /dev/net/tun',
    );
  }
  if (!hasNetAdmin(fs.readFileSync('/proc/self/status', 'utf8'))) {
    throw new HostError(
      'NOT_PERMITTED',
      'The capability CAP_NET_ADMIN is missing, so no interface and no routes can be made: ' +
        'run heddle as root; in a container, start it with --cap-add NET_ADMIN',
    );
  }
}

/** Throws HostError when another has the interface or the port, and says who. */
export function checkNotTaken(config: Pick<Config, 'interface' | 'listenPort'>): void {
  if (interfaceExists(config.interface)) {
    const holder = describeHolder(interfaceHolder(config.interface));
    throw new HostError(
      'INTERFACE_TAKEN',
      `The interface "${config.interface}" exists already${holder}: ` +
        'stop that, or set another `interface`',
    );
  }
  if (config.listenPort !== 0 && portIsTaken(config.listenPort)) {
    const holder = describeHolder(portHolder(config.listenPort));
    throw new HostError(
      'PORT_TAKEN',
      `UDP port ${config.listenPort} is in use${holder}: stop that, or set another \`listenPort\``,
    );
  }
}

/** Judges the text of /proc/self/status. */
export function hasNetAdmin(status: string): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  return effective !== undefined && ((BigInt(`0x${effective}`) >> CAP_NET_ADMIN) & 1n) === 1n;
}

function describeHolder(holder: Holder | undefined): string {
  return holder ? `, held by process ${holder.pid} (${holder.command})` : '';
}
