import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { explainStartError } from '../../src/cli/start_error.js';
import { parsePrefix } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { MeshError, PLAIN_MESH, withSettings } from '../../src/daemon/mesh_options.js';

const test = suite('daemon/mesh_options');

test('mesh error: it ends a start with its own words, and is no defect', () => {
  const failure = explainStartError(new MeshError('The identity is lost: restore it'));
  assert.equal(failure, { exitCode: 1, message: 'The identity is lost: restore it' });
});

test('mesh options: the command line counts before the file, word by word', () => {
  const [one, two] = ['10.20.0.0/16', '10.30.0.0/16'].map((text) =>
    present(parsePrefix(text), 'a prefix'),
  );
  const settings = {
    name: 'file',
    announce: one ? [one] : [],
    subnetLength: 24,
    acceptsDefaultRoutes: false,
  };
  const plain = { ...PLAIN_MESH, name: 'file', announce: settings.announce, subnetLength: 24 };
  assert.equal(withSettings(undefined, settings), plain);
  const words = { ...PLAIN_MESH, name: 'word', announce: two ? [two] : [], isNewIdentity: true };
  const both = withSettings({ ...words, acceptsDefaultRoutes: true }, settings);
  assert.is(both.name, 'word');
  assert.equal(both.announce, words.announce);
  assert.is(both.subnetLength, 24);
  assert.ok(both.acceptsDefaultRoutes && both.isNewIdentity);
});

test.run();
