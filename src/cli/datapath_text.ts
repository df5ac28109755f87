/** What `heddle status --verbose` adds: what the datapath runs on, a line each. */

import type { OffloadStatus } from '../api/datapath_status.js';
import type { StatusDocument } from '../api/status.js';
import { harmless } from './table.js';
import { formatBytes, formatSpan } from './units.js';

export function formatDatapath(status: StatusDocument): string[] {
  const { offloads, aead, socketBuffers, link } = status;
  const rows: [name: string, text: string][] = [];
  for (const [name, state] of Object.entries(offloads ?? {})) rows.push([name, stateText(state)]);
  for (const { suite, backend, reason } of aead) rows.push([suite, `${backend}: ${reason}`]);
  if (socketBuffers) {
    const { askedBytes, receiveBytes, sendBytes } = socketBuffers;
    const given = `${formatBytes(receiveBytes)} to receive, ${formatBytes(sendBytes)} to send`;
    rows.push(['UDP buffers', `${given}; asked for ${formatBytes(askedBytes)}`]);
  }
  if (link) {
    const { transmitQueueLength: queue, gsoMaxSegments, gsoMaxBytes } = link;
    rows.push(['transmit queue', `${queue} packets`]);
    rows.push(['super-packets', `${gsoMaxSegments} segments, ${formatBytes(gsoMaxBytes)}`]);
  }
  for (const remark of status.remarks) rows.push(['remark', remark]);
  if (rows.length === 0) return [];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `${name.padEnd(width)}  ${harmless(text)}`);
}

function stateText({ isOn, why, resting, restingSeconds, ...rest }: OffloadStatus): string {
  const words = [isOn ? 'on' : 'off', `(${rest.switch})`, why].join(' ');
  if (restingSeconds === null) return words;
  const where = resting === 1 ? '1 place' : `${resting} places`;
  return `${words}; failed at ${where} ${formatSpan(restingSeconds)} ago, rests there for a minute`;
}
