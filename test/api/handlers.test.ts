import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { handleRequest } from '../../src/api/handlers.js';
import { metricsOf } from '../../src/api/metrics.js';
import { statusDocument } from '../../src/api/status.js';
import { statusSource } from '../support/status.js';

const test = suite('api/handlers');
const document = statusDocument(statusSource());
const SOURCES = { status: () => document, mesh: () => undefined };

test('status: answers with the document', () => {
  const answer = handleRequest({ method: 'GET', path: '/v1/status' }, SOURCES);
  assert.equal(answer, { status: 200, body: document });
});

test('metrics: are those of the document', () => {
  const answer = handleRequest({ method: 'GET', path: '/metrics' }, SOURCES);
  assert.equal(answer.metrics, metricsOf(document, undefined));
});

test('stop: is answered before it is carried out', () => {
  const answer = handleRequest({ method: 'POST', path: '/v1/stop' }, SOURCES);
  assert.equal(answer, { status: 202, body: { stopping: true }, command: 'stop' });
});

test('reload: is for the daemon to carry out and answer', () => {
  const answer = handleRequest({ method: 'POST', path: '/v1/reload' }, SOURCES);
  assert.is(answer.command, 'reload');
});

test('stop: no other method and no other path stops anything', () => {
  for (const [method, path, status] of [
    ['GET', '/v1/stop', 405],
    ['OPTIONS', '/v1/stop', 405],
    ['POST', '/v1/stopp', 404],
    ['POST', '/v1/status', 405],
  ] as const) {
    const answer = handleRequest({ method, path }, SOURCES);
    assert.is(answer.status, status);
    assert.is(answer.command, undefined);
  }
});

test.run();
