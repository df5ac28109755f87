import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkNotTaken, HostError, hasNetAdmin } from '../../src/daemon/host_check.js';

const test = suite('daemon/host_check');

function failureOf(call: () => void): HostError | undefined {
  try {
    call();
  } catch (error) {
    if (error instanceof HostError) return error;
    throw error;
  }
  return undefined;
}

test('privileges: CAP_NET_ADMIN is the thirteenth bit of the effective set', () => {
  assert.is(hasNetAdmin('CapPrm:\t0000000000001000\nCapEff:\t0000000000001000\n'), true);
  assert.is(hasNetAdmin('CapPrm:\t0000000000001000\nCapEff:\t000001ffffffefff\n'), false);
  assert.is(hasNetAdmin('Name:\tnode\n'), false);
});

test('interface: one that exists is refused by name', () => {
  const failure = failureOf(() => checkNotTaken({ interface: 'lo', listenPort: 0 }));
  assert.is(failure?.code, 'INTERFACE_TAKEN');
  assert.match(failure?.message ?? '', 'interface "lo" exists already');
});

test('port: one that is bound is refused, whatever its address', async () => {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  const failure = failureOf(() => checkNotTaken({ interface: 'heddle-none', listenPort: port }));
  assert.is(failure?.code, 'PORT_TAKEN');
  assert.match(failure?.message ?? '', `UDP port ${port} is in use`);
  socket.close();
  await once(socket, 'close');
  assert.is(
    failureOf(() => checkNotTaken({ interface: 'heddle-none', listenPort: port })),
    undefined,
  );
});

test.run();
