/**
 * net.ipv4.conf.all.src_valid_mark: with it on, the reverse path filter looks up marked datagrams
 * with their mark, so that answers to a tunnel's own datagrams pass it. Any number but 0 turns it
 * on; heddle's says that heddle did, and that it was off before. So a host in which several daemons
 * come, go and are killed knows who turned it on, without a record: the last of them turns it off.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { PROTOCOL_HEDDLE } from './netlink.js';

const PATH = '/proc/sys/net/ipv4/conf/all/src_valid_mark';
const OFF = '0';
const OURS = String(PROTOCOL_HEDDLE);

/**
 * True when it was off. Throws what writing throws, as in a container with a read-only /proc/sys.
 */
export function turnOnValidMark(): boolean {
  if (read() !== OFF) return false;
  writeFileSync(PATH, OURS);
  return true;
}

/** Turns it off when heddle turned it on; true when it did. Throws what writing throws. */
export function turnOffValidMark(): boolean {
  if (read() !== OURS) return false;
  writeFileSync(PATH, OFF);
  return true;
}

/** Off where it cannot be read. */
function read(): string | undefined {
  try {
    return readFileSync(PATH, 'utf8').trim();
  } catch {
    return undefined;
  }
}
