/** A tunnel that carries nothing, so that the daemon around it can be started anywhere. */

import { instant } from '../../src/base/time.js';
import type { OpenTunnel, Tunnel, TunnelContext } from '../../src/daemon/tunnel.js';
import { statusSource } from './status.js';

export interface FakeTunnel {
  readonly open: OpenTunnel;
  /** What happened, in order. */
  readonly events: string[];
  /** What it was opened with, once it was. */
  context: TunnelContext | undefined;
}

/** `failure`: what opening throws after it has made something. */
export function fakeTunnel(failure?: Error): FakeTunnel {
  const events: string[] = [];
  const fake: FakeTunnel = {
    events,
    context: undefined,
    open: async (context) => {
      fake.context = context;
      events.push('opened');
      context.teardown.add('tunnel', () => void events.push('closed'));
      if (failure) throw failure;
      context.step('tunnel', 'of no packets');
      return tunnel(context);
    },
  };
  return fake;
}

function tunnel(context: TunnelContext): Tunnel {
  const source = statusSource();
  return {
    interfaceName: context.config.interface,
    listenPort: context.config.listenPort,
    mtu: 1420,
    fwMark: 0,
    datapath: 'native',
    now: () => instant(performance.now() * 1000),
    remarks: () => [],
    snapshot: () => source.snapshot,
    traffic: source.traffic,
    counters: () => source.counters,
    drops: () => source.drops,
  };
}
