/**
 * Who has what a daemon wants: the process behind an interface or a UDP port, as /proc tells it to
 * root.
 */

import * as fs from 'node:fs';

export interface Holder {
  readonly pid: number;
  /** The command's name, as the kernel cuts it: 15 characters. */
  readonly command: string;
}

/** True when a link of that name is in this network namespace. */
export function interfaceExists(name: string): boolean {
  return readText('/proc/self/net/dev')
    .split('\n')
    .some((line) => line.trim().startsWith(`${name}:`));
}

/** The process that holds the TUN interface open, of those in this network namespace. */
export function interfaceHolder(name: string): Holder | undefined {
  return findProcess((folder) =>
    list(`${folder}/fdinfo`).some((fd) => {
      if (link(`${folder}/fd/${fd}`) !== '/dev/net/tun') return false;
      return readText(`${folder}/fdinfo/${fd}`).includes(`iff:\t${name}\n`);
    }),
  );
}

/** True when a UDP socket of this network namespace is bound to the port. */
export function portIsTaken(port: number): boolean {
  return socketsOnPort(port).length > 0;
}

/** The process with a UDP socket on the port. */
export function portHolder(port: number): Holder | undefined {
  const wanted = new Set(socketsOnPort(port).map((inode) => `socket:[${inode}]`));
  if (wanted.size === 0) return undefined;
  return findProcess((folder) =>
    list(`${folder}/fd`).some((fd) => wanted.has(link(`${folder}/fd/${fd}`))),
  );
}

/**
 * The inodes of UDP sockets bound to the port (proc(5): local address in hexadecimal, inode the
 * tenth field).
 */
function socketsOnPort(port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = ['udp', 'udp6'].flatMap((table) => readText(`/proc/self/net/${table}`).split('\n'));
  const fields = lines.map((line) => line.trim().split(/\s+/));
  return fields.filter((each) => each[1]?.endsWith(suffix)).map((each) => each[9] ?? '');
}

function findProcess(matches: (folder: string) => boolean): Holder | undefined {
  const own = link('/proc/self/ns/net');
  for (const entry of list('/proc')) {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) continue;
    const folder = `/proc/${entry}`;
    if (link(`${folder}/ns/net`) !== own || !matches(folder)) continue;
    return { pid: Number(entry), command: readText(`${folder}/comm`).trim() };
  }
  return undefined;
}

/** Processes end while we look, and some may not be looked at: then there is nothing to see. */
function list(folder: string): string[] {
  return attempt(() => fs.readdirSync(folder)) ?? [];
}

function link(path: string): string {
  return attempt(() => fs.readlinkSync(path)) ?? '';
}

function readText(path: string): string {
  return attempt(() => fs.readFileSync(path, 'utf8')) ?? '';
}

function attempt<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch {
    return undefined;
  }
}
