import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { interfaceExists, interfaceHolder, portHolder, portIsTaken } from '../../src/io/holder.js';

const test = suite('io/holder');

test('interface: one that is there, one that is not, and none by half a name', () => {
  assert.is(interfaceExists('lo'), true);
  assert.is(interfaceExists('l'), false);
  assert.is(interfaceExists('heddle-none'), false);
  assert.is(interfaceHolder('heddle-none'), undefined);
});

test('port: names the process that has it', async () => {
  const script = `const socket = require('dgram').createSocket('udp6');
    socket.bind(0, () => console.log(socket.address().port));`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [text] = await once(child.stdout, 'data');
  const port = Number(text);
  assert.is(portIsTaken(port), true);
  const holder = portHolder(port);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.is(holder?.pid, child.pid);
  assert.is(holder?.command, 'node');
  assert.is(portIsTaken(port), false);
  assert.is(portHolder(port), undefined);
});

test.run();
