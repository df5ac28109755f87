import * as fs from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { VERSION } from '../../src/daemon/version.js';

const test = suite('daemon/version');

test('version: is that of package.json', () => {
  const file = new URL('../../../package.json', import.meta.url);
  assert.is(VERSION, JSON.parse(fs.readFileSync(file, 'utf8')).version);
});

test.run();
