import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nameIn, parseWgQuick } from '../../src/daemon/wg_quick.js';

const test = suite('daemon/wg_quick');

test('file: sections and settings, of either case, with their lines', () => {
  const { sections, faults } = parseWgQuick(
    '\ufeff[interface]\r\nPrivateKey=abc=\r\n\r\n [PEER] \n  AllowedIPs = a, b # c\nendpoint =\n',
  );
  assert.equal(faults, []);
  assert.equal(sections, [
    {
      kind: 'interface',
      line: 1,
      settings: [{ name: 'PrivateKey', key: 'privatekey', value: 'abc=', line: 2 }],
      comments: [],
    },
    {
      kind: 'peer',
      line: 4,
      settings: [
        { name: 'AllowedIPs', key: 'allowedips', value: 'a, b', line: 5 },
        { name: 'endpoint', key: 'endpoint', value: '', line: 6 },
      ],
      comments: [],
    },
  ]);
});

test('file: comments at the head of a section are its own, others nobody’s', () => {
  const { sections } = parseWgQuick(
    `# of the file

[Interface]
# own
MTU = 1420
# commented = out

## above
[Peer] # behind
# below
#
PublicKey = x
# inside
Endpoint = y
`,
  );
  assert.equal(
    sections.map(({ comments }) => comments),
    [['own'], ['above', 'behind', 'below']],
  );
});

test('file: what is no section and no setting is a fault of its line', () => {
  const { faults } = parseWgQuick('MTU = 1\n[Interfaces]\n= 1\nPostUp\n');
  assert.equal(
    faults.map(({ line, message }) => [line, message.split(';')[0]]),
    [
      [1, 'expected [Interface] or [Peer] before the first key'],
      [2, 'unknown section'],
      [3, 'expected a key, an equals sign and a value'],
      [4, 'expected a key, an equals sign and a value'],
    ],
  );
});

/** The comments at the head of a peer, and its name. */
const NAMES: readonly (readonly [comments: readonly string[], name: string | undefined])[] = [
  [['alice'], 'alice'],
  [['Alice’s laptop'.replace('’', "'")], "Alice's laptop"],
  [['web-1.example.org'], 'web-1.example.org'],
  [['Zürich Büro'], 'Zürich Büro'],
  [['friendly_name = Bob'], 'Bob'],
  [['Name: Bob'], 'Bob'],
  [['Client alice'], 'alice'],
  [['BEGIN_PEER alice'], 'alice'],
  [['added on Monday by hand', 'friendly_name=Bob'], 'Bob'],
  [[], undefined],
  [['alice', 'bob'], undefined],
  [['name = alice', 'name = bob'], undefined],
  [['Endpoint = 192.0.2.1:51820'], undefined],
  [['this one is at the office'], undefined],
  [['See the manual.'], undefined],
  [['x'.repeat(64)], undefined],
  [['a: b'], undefined],
  [['---'], undefined],
];

test('name: is a comment that can be nothing else', () => {
  for (const [comments, name] of NAMES) assert.is(nameIn(comments), name, comments.join(' / '));
});

test.run();
