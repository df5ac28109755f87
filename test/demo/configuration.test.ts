import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { toBase64 } from '../../src/base/bytes.js';
import { readConfigFile } from '../../src/daemon/config_file.js';
import { writeConfigurations } from '../../src/demo/configuration.js';
import { demoHosts } from '../../src/demo/topology.js';
import { SodiumSuite } from '../../src/io/sodium.js';

const test = suite('configuration');

test('configuration: the daemon reads every file, and each host knows the two others', () => {
  const folder = fs.mkdtempSync(join(tmpdir(), 'heddle-configuration-'));
  try {
    const crypto = new SodiumSuite();
    const hosts = demoHosts(1);
    const written = writeConfigurations(folder, hosts, {
      datapath: 'reference',
      encapsulation: 'vxlan-sealed',
    });
    const configs = written.map(({ configFile }) => readConfigFile(configFile, crypto));
    const keys = configs.map(({ privateKey }) => toBase64(crypto.publicKey(privateKey)));
    for (const [i, { peers, datapath }] of configs.entries()) {
      const others = keys.filter((_, at) => at !== i);
      assert.equal(
        peers.map(({ publicKey }) => toBase64(publicKey)),
        others,
      );
      assert.is(datapath, 'reference');
      assert.ok(peers.every(({ sealedVni }) => sealedVni !== undefined));
      assert.ok(peers.every(({ protocol }) => protocol === 'heddle'));
    }
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});

test('configuration: where hosts form a mesh, nothing of each other is in the files', () => {
  const folder = fs.mkdtempSync(join(tmpdir(), 'heddle-configuration-'));
  try {
    const options = { datapath: 'reference', encapsulation: 'wireguard' } as const;
    for (const { configFile } of writeConfigurations(folder, demoHosts(1), options)) {
      const config = readConfigFile(configFile, new SodiumSuite());
      assert.ok(config.meshSettings);
      assert.is(config.datapath, 'reference');
      assert.equal(config.peers, []);
    }
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});

test('configuration: in the clear each host knows the VTEPs of the two others', () => {
  const folder = fs.mkdtempSync(join(tmpdir(), 'heddle-configuration-'));
  try {
    const hosts = demoHosts(1);
    const options = { datapath: 'native', encapsulation: 'vxlan' } as const;
    const written = writeConfigurations(folder, hosts, options);
    for (const [i, { configFile }] of written.entries()) {
      const { peers, clearPeers, vtepMac } = readConfigFile(configFile, new SodiumSuite());
      assert.equal(peers, []);
      assert.is(vtepMac?.text, hosts[i]?.vtepMac);
      assert.equal(
        clearPeers.map(({ carrier }) => carrier.kind === 'vxlan' && carrier.mac.text),
        hosts.filter((_, at) => at !== i).map((host) => host.vtepMac),
      );
    }
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});

test.run();
