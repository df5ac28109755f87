/**
 * The shipped schema, the table of keys and the examples say the same as the schema in the source.
 */

import * as fs from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConfigDocument } from '../../src/daemon/config_document.js';
import {
  CONFIG_SCHEMA,
  jsonSchema,
  MESH_KEYS,
  OFFLOAD_KEYS,
  PEER_KEYS,
  TOP_KEYS,
} from '../../src/daemon/config_schema.js';
import { OFFLOADS } from '../../src/node/offloads.js';

const test = suite('daemon/config_schema');
/** The project's folder: dist/test/daemon is three below it. */
const CONFIGS = new URL('../../../configs/', import.meta.url);

test('json schema: the shipped file is current', () => {
  const file = new URL('heddle.schema.json', CONFIGS);
  if (process.env.HEDDLE_WRITE_SCHEMA) {
    fs.writeFileSync(file, `${JSON.stringify(jsonSchema(), null, 2)}\n`);
  }
  const advice = 'HEDDLE_WRITE_SCHEMA=1 node dist/test/daemon/config_schema.test.js writes it';
  assert.equal(JSON.parse(fs.readFileSync(file, 'utf8')), jsonSchema(), advice);
});

test('documentation: README has a row for every key and for no other', () => {
  const text = fs.readFileSync(new URL('README.md', CONFIGS), 'utf8');
  const rows = [...text.matchAll(/^\| `([a-z]\w*)` \|/gm)].map((match) => match[1]);
  assert.equal(rows, [...TOP_KEYS, ...MESH_KEYS, ...OFFLOAD_KEYS, ...PEER_KEYS]);
  assert.equal(OFFLOAD_KEYS, OFFLOADS);
});

for (const name of fs.readdirSync(CONFIGS).filter((each) => each.endsWith('.yaml'))) {
  test(`example: ${name} is right`, () => {
    const document = new ConfigDocument(fs.readFileSync(new URL(name, CONFIGS)));
    assert.equal(document.faults, []);
    const result = CONFIG_SCHEMA.safeParse(document.value);
    assert.equal(result.error?.issues ?? [], []);
  });
}

test('example: default.yaml has the defaults', () => {
  const document = new ConfigDocument(fs.readFileSync(new URL('default.yaml', CONFIGS)));
  const { privateKeyFile: _, ...given } = CONFIG_SCHEMA.parse(document.value);
  assert.equal(given, CONFIG_SCHEMA.parse({}));
});

test.run();
