/**
 * Links in Linux's rtnetlink(7) (linux/if_link.h), in host byte order: of all that a link can say,
 * what heddle reads and sets. The fixed part, with the attributes behind it:
 *
 *   0        1          2        4        8        12        16
 *   +--------+----------+--------+--------+--------+---------+
 *   | family | reserved | type   | index  | flags  | change  |
 *   +--------+----------+--------+--------+--------+---------+
 */

import { loadLe32, storeLe32 } from '../base/bytes.js';
import { type Attribute, parseAttributes, readText, u32 } from './netlink.js';

export const LINK_FIXED = 16;
const IFF_UP = 1;
const IFF_LOWER_UP = 0x10000;
const IFLA = { name: 3, mtu: 4, transmitQueueLength: 13, gsoMaxSegments: 40, gsoMaxBytes: 41 };

/** How much one super-packet may be that the kernel gives to a link. */
export interface GsoLimits {
  readonly gsoMaxSegments: number;
  readonly gsoMaxBytes: number;
}

export interface Link extends GsoLimits {
  readonly index: number;
  readonly name: string;
  readonly mtu: number;
  readonly isUp: boolean;
  /** Something is at its other end. */
  readonly hasCarrier: boolean;
  /** Packets that it holds while its driver is busy. */
  readonly transmitQueueLength: number;
}

/** What is not given stays. */
export interface LinkSettings extends Partial<GsoLimits> {
  readonly mtu?: number;
  readonly isUp?: boolean;
  readonly transmitQueueLength?: number;
}

export function parseLink(body: Uint8Array): Link {
  const attributes = parseAttributes(body, LINK_FIXED);
  const number = (type: number): number => {
    const value = attributes.get(type);
    return value && value.length >= 4 ? loadLe32(value, 0) : 0;
  };
  return {
    index: loadLe32(body, 4),
    name: readText(attributes.get(IFLA.name)),
    mtu: number(IFLA.mtu),
    isUp: (loadLe32(body, 8) & IFF_UP) !== 0,
    hasCarrier: (loadLe32(body, 8) & IFF_LOWER_UP) !== 0,
    transmitQueueLength: number(IFLA.transmitQueueLength),
    gsoMaxSegments: number(IFLA.gsoMaxSegments),
    gsoMaxBytes: number(IFLA.gsoMaxBytes),
  };
}

export function emitLink(
  index: number,
  to: LinkSettings = {},
): { fixed: Uint8Array; attributes: Attribute[] } {
  const fixed = new Uint8Array(LINK_FIXED);
  storeLe32(fixed, 4, index);
  storeLe32(fixed, 8, to.isUp ? IFF_UP : 0);
  storeLe32(fixed, 12, to.isUp === undefined ? 0 : IFF_UP);
  const settings = [
    [IFLA.mtu, to.mtu],
    [IFLA.transmitQueueLength, to.transmitQueueLength],
    [IFLA.gsoMaxSegments, to.gsoMaxSegments],
    [IFLA.gsoMaxBytes, to.gsoMaxBytes],
  ] as const;
  const attributes = settings.flatMap(([type, value]) =>
    value === undefined ? [] : [u32(type, value)],
  );
  return { fixed, attributes };
}
