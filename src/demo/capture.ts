/** The demo's eyes: capture.py in a namespace, and what its findings prove. */

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { DemoError } from './command.js';
import { type DemoEncapsulation, isClear } from './configuration.js';
import { PYTHON } from './host_check.js';

const CAPTURE = fileURLToPath(new URL('../../../src/demo/capture.py', import.meta.url));

type MessageKind = 'initiation' | 'response' | 'cookie' | 'data' | 'heddleData';

export interface CaptureReport {
  readonly packets: number;
  /** Packets in which the marker can be read. */
  readonly withMarker: number;
  /** WireGuard's messages by type, and heddle's own data messages. */
  readonly messages: Readonly<Record<MessageKind, number>>;
  /** How many of these were behind a VXLAN header. */
  readonly behindVxlan: number;
  /** Datagrams to the port of an encapsulation without a seal. */
  readonly clear: number;
  readonly arp: number;
  /** None of these. */
  readonly other: number;
  /** Packets that the kernel could not show in time. */
  readonly missed: number;
  /** The first WireGuard packets, in hexadecimal, cut short. */
  readonly samples: readonly string[];
}

export interface CapturePlace {
  readonly namespace: string;
  readonly interfaces: readonly string[];
}

/** A capture that runs until it is asked for its report. */
export class Capture {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #ended: Promise<void>;
  #output = '';
  #errors = '';

  private constructor(place: CapturePlace, marker: string) {
    const command = [PYTHON, CAPTURE, marker, ...place.interfaces];
    this.#child = spawn('ip', ['netns', 'exec', place.namespace, ...command], {
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#child.stdin.on('error', () => {});
    this.#child.stderr.on('data', (chunk: Buffer) => {
      this.#errors += chunk.toString('utf8');
    });
    this.#ended = new Promise((done) => {
      this.#child.on('error', () => done());
      this.#child.on('close', () => done());
    });
  }

  /** Resolves when it sees packets. */
  static async open(place: CapturePlace, marker: string): Promise<Capture> {
    const capture = new Capture(place, marker);
    await new Promise<void>((done, fail) => {
      capture.#child.stdout.on('data', (chunk: Buffer) => {
        capture.#output += chunk.toString('utf8');
        done();
      });
      void capture.#ended.then(() =>
        fail(new DemoError(`The capture does not start: ${capture.#errors.trim()}`)),
      );
    });
    return capture;
  }

  /** From now on only one packet in `oneIn` is looked at, so that looking costs little. */
  sample(oneIn: number): void {
    this.#child.stdin.write(`sample ${oneIn}\n`);
  }

  async report(): Promise<CaptureReport> {
    this.#child.stdin.end();
    await this.#ended;
    const line = this.#output.split('\n')[1];
    if (!line) throw new DemoError(`The capture failed: ${this.#errors.trim()}`);
    const report: CaptureReport = JSON.parse(line);
    return report;
  }

  /** Ends it without a report. */
  async end(): Promise<void> {
    this.#child.stdin.end();
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}

/**
 * Why the captures do not prove what the encapsulation promises: that nothing can be read, or, in
 * the clear, that everything can; empty when they do.
 */
export function judgeCaptures(
  inner: CaptureReport,
  outer: CaptureReport,
  encapsulation: DemoEncapsulation,
): string[] {
  const doubts: string[] = [];
  const sealed = Object.values(outer.messages).reduce((sum, each) => sum + each, 0);
  if (inner.withMarker === 0) doubts.push('the marker never entered the tunnel');
  if (isClear(encapsulation)) {
    if (outer.withMarker === 0) doubts.push('no packet on the wire shows the marker');
    if (outer.clear === 0) doubts.push(`no ${encapsulation} datagram was seen on the wire`);
    if (sealed > 0) doubts.push(`${sealed} messages on the wire are sealed`);
  } else {
    if (outer.messages.heddleData === 0) doubts.push("no data message of heddle's own was seen");
    if (outer.withMarker > 0) {
      doubts.push(`${outer.withMarker} packets on the wire show the marker`);
    }
    if (outer.clear > 0) doubts.push(`${outer.clear} datagrams on the wire are in the clear`);
    const wrapped = encapsulation === 'vxlan-sealed' ? sealed : 0;
    const strays = Math.abs(outer.behindVxlan - wrapped);
    if (strays > 0) doubts.push(`${strays} messages are in another form than ${encapsulation}`);
  }
  if (outer.other > 0) doubts.push(`${outer.other} packets on the wire are not the tunnel's`);
  return doubts;
}
