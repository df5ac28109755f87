import type { AddressInfo } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { pullBulk, serveBulk } from '../../src/demo/traffic.js';

const test = suite('traffic');

test('traffic: counts what the other end sends', async () => {
  const server = await serveBulk('marker', 0);
  const { port } = server.address() as AddressInfo;
  const { bytes, seconds } = await pullBulk('127.0.0.1', 0.05, port);
  server.close();
  assert.ok(bytes > 1_000, `${bytes} bytes`);
  assert.ok(seconds >= 0.04, `${seconds} s`);
});

test('traffic: a host that refuses is a failure', async () => {
  const server = await serveBulk('marker', 0);
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  const error = await pullBulk('127.0.0.1', 0.05, port).catch((reason: unknown) => reason);
  assert.match(String(error), /Bulk TCP from 127\.0\.0\.1 failed: .*ECONNREFUSED/);
});

test.run();
