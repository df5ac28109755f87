/** What each session is sealed with, for the screens. */

import type { PeerStatus } from '../api/status.js';
import { displayWidth, harmless } from './table.js';

/** A line a session, of the first `listed` that there are. */
export function formatSeals(peers: readonly PeerStatus[], listed: number): string[] {
  const rows = peers.flatMap((peer) => {
    const text = sealText(peer);
    return text === undefined ? [] : [{ name: harmless(peer.name), text: `protocol ${text}` }];
  });
  const shown = rows.slice(0, listed);
  const width = Math.max(...shown.map(({ name }) => displayWidth(name)));
  const more = rows.length - shown.length;
  return [
    ...shown.map(({ name, text }) => `${name}${' '.repeat(width - displayWidth(name))}  ${text}`),
    ...(more > 0 ? [`... and ${more} more; \`heddle show\` lists them all`] : []),
  ];
}

/** Undefined where there is no session. */
export function sealText(peer: PeerStatus): string | undefined {
  const { protocol, cipher, lanes, trustsChecksums } = peer;
  if (protocol === null) return undefined;
  const words = [`${protocol}, ${cipher}`];
  if (protocol === 'heddle') words.push(`${lanes} ${lanes === 1 ? 'lane' : 'lanes'}`);
  if (trustsChecksums) words.push('checksums left to it');
  return words.join(', ');
}
