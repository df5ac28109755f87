import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { matchRoute } from '../../src/api/routes.js';

const test = suite('api/routes');

test('routes: match by path and method, whatever the query', () => {
  assert.equal(matchRoute('GET', '/v1/status'), { kind: 'route', name: 'status' });
  assert.equal(matchRoute('GET', '/v1/status?a=b'), { kind: 'route', name: 'status' });
  assert.equal(matchRoute('POST', '/v1/stop'), { kind: 'route', name: 'stop' });
  assert.equal(matchRoute('GET', '/metrics'), { kind: 'route', name: 'metrics' });
  assert.equal(matchRoute('POST', '/v1/reload'), { kind: 'route', name: 'reload' });
});

test('routes: a wrong method says which is right, a wrong path says nothing', () => {
  assert.equal(matchRoute('GET', '/v1/stop'), { kind: 'wrongMethod', allowed: 'POST' });
  for (const path of ['/', '', '/v1/status/', '/v1/../v1/status', '//v1/status']) {
    assert.equal(matchRoute('GET', path), { kind: 'noSuchPath' }, path);
  }
});

test.run();
