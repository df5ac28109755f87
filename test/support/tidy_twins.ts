/**
 * House rules about the two hands: the same files under the same names, and the same lists in the
 * same order.
 */

import type { SourceFile } from './source.js';

/** C++ files without a TypeScript twin: a folder ends in a slash. Each entry says why. */
const WITHOUT_TWIN: Readonly<Record<string, string>> = {
  'native/napi/': 'the border to Node; its other side is io/native.ts',
  'native/io/': 'threads, descriptors and rings, where io has promises',
  'native/base/': 'what the language or its library lacks',
  'native/bench/': 'measures native code; bench/in_process.ts runs it',
  'native/fuzz/': 'the fuzzers of native code; test/fuzz runs them',
  'native/test/': 'the tests of these files',
  'native/crypto/aead': 'in TypeScript a part of the CryptoSuite, io/sodium.ts',
  'native/crypto/aead_nonce': 'a part of the CryptoSuite, too',
  'native/crypto/aead_backend': 'chooses between ways to seal; TypeScript has one',
  'native/crypto/aead_comparison': 'compares those ways',
  'native/crypto/aes_gcm': 'a way to seal: assembly of OpenSSL',
  'native/crypto/aes_gcm_vaes': 'a way to seal: vector code',
  'native/crypto/chacha20_poly1305': 'a way to seal: assembly of OpenSSL',
  'native/crypto/chacha20_wide': 'a way to seal: vector code',
  'native/crypto/poly1305': 'a part of those ways',
  'native/crypto/cpu': 'what the CPU has for it',
  'native/crypto/evp_aead': 'a way to seal: the public interface of OpenSSL',
  'native/crypto/openssl': 'finds the cipher code inside the node binary',
  'native/route/route_cache': 'remembers look-ups, which in TypeScript cost little beside the rest',
};

/** C++ files whose TypeScript twin is missing, and exceptions that are none. */
export function checkTwins(files: readonly SourceFile[]): string[] {
  const paths = new Set(files.map(({ path }) => path));
  const native = [...paths].filter((path) => /^native\/\w+\/\w+\.(h|cc)$/.test(path));
  const found = native
    .filter((path) => !isExcepted(path) && !paths.has(twinOf(path)))
    .map((path) => `${path} has no twin ${twinOf(path)}, and no exception says why`);
  const stale = Object.keys(WITHOUT_TWIN).filter(
    (entry) =>
      !entry.endsWith('/') &&
      native.some((path) => stem(path) === entry && paths.has(twinOf(path))),
  );
  return [...found, ...stale.map((entry) => `${entry} has a twin and needs no exception`)];
}

function isExcepted(path: string): boolean {
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  return WITHOUT_TWIN[folder] !== undefined || WITHOUT_TWIN[stem(path)] !== undefined;
}

function twinOf(path: string): string {
  return `${stem(path).replace(/^native\//, 'src/')}.ts`;
}

function stem(path: string): string {
  return path.replace(/\.(h|cc)$/, '');
}

/**
 * Lists that TypeScript and C++ both spell out: an array of names, an enum, and an array of the
 * enum's texts.
 */
interface SharedList {
  readonly typescript: string;
  readonly arrays: readonly string[];
  readonly native: string;
  readonly enumName: string;
  readonly namesArray: string;
}

const SHARED_LISTS: readonly SharedList[] = [
  {
    typescript: 'src/datapath/drop.ts',
    arrays: ['DROPS'],
    native: 'native/datapath/drop.h',
    enumName: 'Drop',
    namesArray: 'kDropNames',
  },
  {
    typescript: 'src/datapath/counters.ts',
    arrays: ['WALK_COUNTERS', 'NATIVE_COUNTERS'],
    native: 'native/datapath/counters.h',
    enumName: 'Counter',
    namesArray: 'kCounterNames',
  },
];

/** Differences between the lists of the two hands. */
export function checkSharedLists(files: readonly SourceFile[]): string[] {
  const textOf = (path: string): string => files.find((file) => file.path === path)?.text ?? '';
  return SHARED_LISTS.flatMap((list) => {
    const typescript = list.arrays.flatMap((name) => readArray(textOf(list.typescript), name));
    const native = textOf(list.native);
    const members = readEnum(native, list.enumName).filter((member) => member !== 'none');
    return [
      ...compare(
        list.typescript,
        typescript,
        `${list.native} ${list.namesArray}`,
        readNames(native, list.namesArray),
      ),
      ...compare(
        list.typescript,
        typescript,
        `${list.native} ${list.enumName}`,
        members.map(toSnakeCase),
      ),
    ];
  });
}

function compare(
  path: string,
  expected: readonly string[],
  other: string,
  found: readonly string[],
): string[] {
  if (expected.length === 0) return [`${path} has no list to compare with ${other}`];
  const at = expected.findIndex((name, i) => name !== found[i]);
  const differs = at >= 0 ? at : expected.length === found.length ? -1 : expected.length;
  if (differs < 0) return [];
  const [left, right] = [expected[differs], found[differs]].map((name) => name ?? 'nothing');
  return [`${path} and ${other} differ at ${differs}: "${left}" and "${right}"`];
}

function readArray(text: string, name: string): string[] {
  const body = new RegExp(`const ${name} = \\[([\\s\\S]*?)\\] as const`).exec(text)?.[1] ?? '';
  return [...withoutComments(body).matchAll(/'(\w+)'/g)].map((match) => match[1] ?? '');
}

function readNames(text: string, name: string): string[] {
  const body = new RegExp(`${name} = \\{([\\s\\S]*?)\\};`).exec(text)?.[1] ?? '';
  return [...withoutComments(body).matchAll(/"(\w+)"/g)].map((match) => match[1] ?? '');
}

function readEnum(text: string, name: string): string[] {
  const body = new RegExp(`enum class ${name}[^{]*\\{([\\s\\S]*?)\\};`).exec(text)?.[1] ?? '';
  return [...withoutComments(body).matchAll(/(\w+)\s*(?:=[^,]*)?(?:,|$)/g)].map(
    (match) => match[1] ?? '',
  );
}

function withoutComments(text: string): string {
  return text.replace(/\/\/.*/g, '').replace(/\/\*[\s\S]*?\*\//g, '');
}

function toSnakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
