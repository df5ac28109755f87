/**
 * Clear VXLAN with Open vSwitch's userspace datapath: its daemons are started here, with a database
 * and sockets of the test's own.
 */

import type { ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ip, Lab, type LabHost, pings, requireTools, waitUntil } from '../support/netns.js';
import { movesBulk } from './bulk.js';
import { HeddleEnd, type LabTunnel, makeKeyPair } from './tunnels.js';

const test = suite('interop/openvswitch');

const HEDDLE = { under: '192.0.2.1', inner: '10.9.0.1', mac: '02:00:00:00:09:01' };
const SWITCH = { under: '192.0.2.2', inner: '10.9.0.2', mac: '02:00:00:00:09:02' };
const START_LIMIT_MS = 10_000;
const END_LIMIT_MS = 5_000;
const LEAST_BITS_PER_SECOND = 20e6;

const TOOLS = {
  'ovs-vswitchd': 'openvswitch-switch',
  'ovsdb-server': 'openvswitch-switch',
  'ovs-vsctl': 'openvswitch-switch',
  ethtool: 'ethtool',
  ping: 'iputils-ping',
  iperf3: 'iperf3',
};

/** Open vSwitch in a namespace, with nothing of the machine's own. */
class OpenVswitch {
  readonly #host: LabHost;
  readonly #folder: string;
  readonly #children: ChildProcess[] = [];

  private constructor(host: LabHost, folder: string) {
    this.#host = host;
    this.#folder = folder;
  }

  static async start(lab: Lab, host: LabHost): Promise<OpenVswitch> {
    const folder = join(lab.folder, 'ovs');
    mkdirSync(folder, { mode: 0o700 });
    const started = new OpenVswitch(host, folder);
    const [database, socket] = [join(folder, 'conf.db'), `unix:${join(folder, 'db.sock')}`];
    const schema = '/usr/share/openvswitch/vswitch.ovsschema';
    await host.must(['ovsdb-tool', 'create', database, schema]);
    started.#run(['ovsdb-server', database, `--remote=p${socket}`, '--no-chdir']);
    await waitUntil('the database of Open vSwitch answers', START_LIMIT_MS, () =>
      started.#answers(['--no-wait', 'init']),
    );
    started.#run(['ovs-vswitchd', socket, '--no-chdir', '--disable-system']);
    return started;
  }

  async configure(...words: readonly string[]): Promise<void> {
    const { code, stderr } = await this.#ask(words);
    assert.is(code, 0, stderr);
  }

  /** Ends its daemons, the switch first, and waits for them. */
  async stop(): Promise<void> {
    for (const child of this.#children.reverse()) {
      child.kill('SIGTERM');
      await waitUntil('a daemon of Open vSwitch ends', END_LIMIT_MS, () => {
        return child.exitCode !== null || child.signalCode !== null;
      });
    }
  }

  /** `ip netns exec` becomes the daemon, so a signal to the child is one to it. */
  #run(command: readonly string[]): void {
    const name = command[0] ?? '';
    const control = `--unixctl=${join(this.#folder, `${name}.ctl`)}`;
    const log = `--log-file=${join(this.#folder, `${name}.log`)}`;
    const child = this.#host.start([...command, control, log], { OVS_RUNDIR: this.#folder });
    child.stdout?.resume();
    child.stderr?.resume();
    this.#children.push(child);
  }

  async #answers(words: readonly string[]): Promise<boolean> {
    return (await this.#ask(words)).code === 0;
  }

  #ask(words: readonly string[]) {
    const database = `--db=unix:${join(this.#folder, 'db.sock')}`;
    return this.#host.run(['ovs-vsctl', '--timeout=10', database, ...words]);
  }
}

/** Two bridges, as userspace tunnels need: one on the link, one with the tunnel's port. */
async function addBridges(ovs: OpenVswitch, vni: number, port: number): Promise<void> {
  await ovs.configure(
    ...['add-br', 'br-phy', '--', 'set', 'bridge', 'br-phy', 'datapath_type=netdev'],
    ...['--', 'add-port', 'br-phy', 'under'],
  );
  await ovs.configure(
    ...['add-br', 'br-int', '--', 'set', 'bridge', 'br-int', 'datapath_type=netdev'],
    ...[`other-config:hwaddr="${SWITCH.mac}"`, '--', 'add-port', 'br-int', 'vx0'],
    ...['--', 'set', 'interface', 'vx0', 'type=vxlan', `options:remote_ip=${HEDDLE.under}`],
    ...[`options:key=${vni}`, `options:dst_port=${port}`],
  );
}

function tunnel(vni: number, port: number): LabTunnel {
  return {
    interface: 'hd0',
    privateKey: makeKeyPair().privateKey,
    listenPort: 51820,
    vtepMac: HEDDLE.mac,
    mtu: 1450,
    addresses: [`${HEDDLE.inner}/24`],
    peers: [
      {
        name: 'switch',
        encapsulation: 'vxlan',
        vni,
        vtepMac: SWITCH.mac,
        endpoint: `${SWITCH.under}:${port}`,
        allowedIps: [`${SWITCH.inner}/32`],
      },
    ],
  };
}

for (const [vni, port] of [
  [1, 4789],
  [4096, 8472],
] as const) {
  test(`vxlan: with Open vSwitch in userspace, VNI ${vni}, port ${port}`, async () => {
    requireTools(TOOLS);
    const lab = new Lab();
    let ovs: OpenVswitch | undefined;
    try {
      const [heddle, other] = [lab.host('h'), lab.host('o')];
      lab.link('under', [
        [heddle, [`${HEDDLE.under}/24`]],
        [other, []],
      ]);
      // Open vSwitch takes packets off the veth before anybody filled their checksums in.
      await heddle.must(['ethtool', '-K', 'under', 'tx', 'off']);
      ovs = await OpenVswitch.start(lab, other);
      await addBridges(ovs, vni, port);
      ip(other, 'addr', 'add', `${SWITCH.under}/24`, 'dev', 'br-phy');
      ip(other, 'link', 'set', 'br-phy', 'up');
      ip(other, 'addr', 'add', `${SWITCH.inner}/24`, 'dev', 'br-int');
      ip(other, 'link', 'set', 'br-int', 'mtu', '1450', 'up');
      await pings(other, HEDDLE.under);
      await HeddleEnd.start(lab, heddle, tunnel(vni, port));
      await pings(other, HEDDLE.inner);
      await pings(heddle, SWITCH.inner);
      await movesBulk(heddle, other, SWITCH.inner, LEAST_BITS_PER_SECOND);
    } finally {
      await ovs?.stop();
      lab.remove();
    }
  });
}

test.run();
