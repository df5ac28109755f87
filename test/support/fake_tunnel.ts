/** A tunnel that carries nothing, so that the daemon around it can be started anywhere. */

import { instant } from '../../src/base/time.js';
import type { OpenTunnel, Tunnel, TunnelContext } from '../../src/daemon/tunnel.js';
import { AUTO_OFFLOADS } from '../../src/node/offloads.js';
import { statusSource } from './status.js';

export interface FakeTunnel {
  readonly open: OpenTunnel;
  /** What happened, in order. */
  readonly events: string[];
  /** What it was opened with, once it was. */
  context: TunnelContext | undefined;
  /** What the next reconfiguration is refused with. */
  refusal: Error | undefined;
}

/** `failure`: what opening throws after it has made something. */
export function fakeTunnel(failure?: Error): FakeTunnel {
  const events: string[] = [];
  const fake: FakeTunnel = {
    events,
    context: undefined,
    refusal: undefined,
    open: async (context) => {
      fake.context = context;
      events.push('opened');
      context.teardown.add('tunnel', () => void events.push('closed'));
      if (failure) throw failure;
      context.step('tunnel', 'of no packets');
      return tunnel(context, () => fake.refusal);
    },
  };
  return fake;
}

function tunnel(context: TunnelContext, refusal: () => Error | undefined): Tunnel {
  const source = statusSource();
  let { config } = context;
  return {
    interfaceName: context.config.interface,
    listenPort: context.config.listenPort,
    mtu: 1420,
    fwMark: 0,
    datapath: 'native',
    lanes: 1,
    now: () => instant(performance.now() * 1000),
    remarks: () => [],
    snapshot: () => source.snapshot,
    traffic: source.traffic,
    counters: () => source.counters,
    drops: () => source.drops,
    repairs: () => ({}),
    footing: () => ({ switches: AUTO_OFFLOADS, footing: undefined, link: undefined }),
    get config() {
      return config;
    },
    reconfigure: async (change) => {
      const why = refusal();
      if (why) throw why;
      const before = config;
      config = change(before);
      return { before, after: config };
    },
  };
}
