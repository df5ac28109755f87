/** Memory of a live session: a heddle that many call, each with a key of its own. */

import { MESSAGE_RESPONSE, messageType, receiverOf, senderOf } from '../src/wire/wireguard.js';
import { Caller, Stranger } from '../test/interop/stranger.js';
import { HeddleEnd, makeKeyPair } from '../test/interop/tunnels.js';
import { type Lab, pause, waitUntil } from '../test/support/netns.js';
import { residentMebibytes } from './processes.js';
import { makeHosts, OUTER, PORT } from './subject.js';

const MEBIBYTE = 1 << 20;
/** Callers at once: fewer than make a daemon ask for cookies. */
const AT_ONCE = 16;
const FIRST = 4 * AT_ONCE;
const ANSWER_LIMIT_MS = 10_000;
const MOST_ATTEMPTS = 5;
/** A daemon that asks for cookies goes on for a second. */
const BETWEEN_ATTEMPTS_MS = 1_200;
/** The last sessions are confirmed, and what their handshakes left is collected or not. */
const SETTLE_MS = 1000;

/**
 * Resident bytes that a daemon with `count` peers grows by a session when all have one. What the
 * first handshakes of a process cost is left out.
 */
export async function measureSessions(lab: Lab, count: number): Promise<number> {
  const hosts = makeHosts(lab, 'sl');
  const ours = makeKeyPair();
  const keys = [...Array(count).keys()].map(() => makeKeyPair());
  const end = await HeddleEnd.start(lab, hosts.near, {
    interface: 'hd0',
    listenPort: PORT,
    privateKey: ours.privateKey,
    addresses: ['10.77.0.1/24'],
    peers: keys.map(({ publicKey }, i) => ({
      name: `p${i}`,
      publicKey,
      allowedIps: [`10.80.${i >> 8}.${i & 255}/32`],
    })),
  });
  const { pid } = end.child;
  if (pid === undefined) throw new Error('heddle has no process id');
  const stranger = await Stranger.start(hosts.far, { address: OUTER.near, port: PORT });
  let before = 0;
  for (let at = 0; at < count; at += AT_ONCE) {
    if (at === FIRST) before = residentMebibytes(pid);
    await call(
      stranger,
      keys.slice(at, at + AT_ONCE).map((own) => new Caller(own, ours.publicKey)),
    );
  }
  await pause(SETTLE_MS);
  const status = await end.status();
  const live = status.peers.filter(({ latestHandshake }) => latestHandshake !== null).length;
  if (live !== count) throw new Error(`${live} of ${count} sessions were made`);
  return ((residentMebibytes(pid) - before) * MEBIBYTE) / (count - FIRST);
}

/** Each makes a session and confirms it; whoever is not answered calls again. */
async function call(stranger: Stranger, callers: readonly Caller[]): Promise<void> {
  let waiting = callers;
  for (let attempt = 0; attempt < MOST_ATTEMPTS && waiting.length > 0; attempt++) {
    if (attempt > 0) await pause(BETWEEN_ATTEMPTS_MS);
    waiting = await callOnce(stranger, waiting);
  }
  if (waiting.length > 0) throw new Error(`${waiting.length} callers were not answered`);
}

/** Those that were not answered: a busy daemon asks for cookies, of which callers have none. */
async function callOnce(stranger: Stranger, callers: readonly Caller[]): Promise<Caller[]> {
  const before = stranger.heard.length;
  const made = callers.map((caller) => ({ caller, initiation: caller.initiation() }));
  stranger.send(...made.map(({ initiation }) => initiation.datagram));
  const answers = (): Uint8Array[] => stranger.heard.slice(before);
  await waitUntil(`${callers.length} callers are answered`, ANSWER_LIMIT_MS, () => {
    return answers().length >= callers.length;
  });
  const responses = answers().filter((each) => messageType(each) === MESSAGE_RESPONSE);
  const byReceiver = new Map(responses.map((each) => [receiverOf(each), each]));
  return made.flatMap(({ caller, initiation }) => {
    const response = byReceiver.get(senderOf(initiation.datagram));
    if (response === undefined) return [caller];
    stranger.send(caller.consume(initiation, response).seal(new Uint8Array(0)));
    return [];
  });
}
