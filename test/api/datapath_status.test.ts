import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type DatapathFooting,
  datapathStatus,
  judgeBuffers,
} from '../../src/api/datapath_status.js';
import { instant } from '../../src/base/time.js';
import { AUTO_OFFLOADS, OFFLOADS } from '../../src/node/offloads.js';

const test = suite('api/datapath_status');

const NOW = instant(100_000_000);
const FINE = { isOn: true, why: 'self-test passed', resting: 0, since: 0 };

function footing(changes: Partial<DatapathFooting> = {}): DatapathFooting {
  const offloads = { tunTcp: FINE, tunUdp: FINE, udpGso: FINE, udpGro: FINE, checksums: FINE };
  const buffers = { asked: 8, receive: 8, send: 8 };
  return { offloads, buffers, aead: [], ...changes };
}

function statusOf(changes: Partial<DatapathFooting> = {}) {
  const source = { switches: AUTO_OFFLOADS, footing: footing(changes), link: undefined };
  return datapathStatus(source, NOW);
}

test('datapath status: each offload with its switch and why', () => {
  const { offloads } = statusOf();
  assert.equal(Object.keys(offloads ?? {}), OFFLOADS);
  assert.equal(offloads?.udpGro, {
    switch: 'auto',
    isOn: true,
    why: 'self-test passed',
    resting: 0,
    restingSeconds: null,
  });
});

test('datapath status: what rests is told with its time', () => {
  const resting = { ...FINE, resting: 3, since: NOW - 7_900_000 };
  const { offloads } = statusOf({ offloads: { ...footing().offloads, udpGso: resting } });
  assert.equal([offloads?.udpGso.resting, offloads?.udpGso.restingSeconds], [3, 7]);
});

test('datapath status: of a hand without any of it nothing is told', () => {
  const nothing = { offloads: null, aead: [], socketBuffers: null, link: null };
  assert.equal(datapathStatus(undefined, NOW), nothing);
  const source = { switches: AUTO_OFFLOADS, footing: undefined, link: undefined };
  assert.equal(datapathStatus(source, NOW), nothing);
});

test('datapath status: buffers that are less than asked for are a warning', () => {
  const rows: readonly (readonly [asked: number, receive: number, send: number, count: number])[] =
    [
      [8, 8, 8, 0],
      [8, 9, 16, 0],
      [8, 7, 8, 1],
      [8, 8, 7, 1],
      [0, 0, 0, 0],
    ];
  for (const [asked, receive, send, count] of rows) {
    const warnings = judgeBuffers(statusOf({ buffers: { asked, receive, send } }));
    assert.is(warnings.length, count, `${asked} ${receive} ${send}`);
  }
});

test.run();
