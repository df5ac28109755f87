/**
 * One section of a wg-quick file read key by key, so that whatever nobody asked for is known at the
 * end: faults and notes are collected with their lines.
 */

import { KEY_BYTES } from '../crypto/suite.js';
import { parseKey } from '../crypto/keys.js';
import type { LineFault, Section, Setting } from './wg_quick.js';

/** What an import has to say, line by line. */
export interface Remarks {
  /** The file cannot be taken over. */
  readonly faults: LineFault[];
  /** Left out or changed. */
  readonly notes: LineFault[];
}

export class SectionReader {
  readonly section: Section;
  readonly #remarks: Remarks;
  readonly #asked = new Set<string>();

  constructor(section: Section, remarks: Remarks) {
    this.section = section;
    this.#remarks = remarks;
  }

  /** The setting of a key that stands once; a second one is a fault. */
  one(key: string): Setting | undefined {
    const [first, ...others] = this.all(key);
    for (const { line, name } of others) {
      this.fault(line, `${name} stands in line ${first?.line ?? 0} already; keep one of them`);
    }
    return first;
  }

  /** The settings of a key that may stand several times. */
  all(key: string): readonly Setting[] {
    this.#asked.add(key);
    return this.section.settings.filter((setting) => setting.key === key);
  }

  /** The entries of comma-separated lists, each with its line. */
  list(key: string): Setting[] {
    return this.all(key).flatMap((setting) =>
      setting.value
        .split(',')
        .map((value) => ({ ...setting, value: value.trim() }))
        .filter(({ value }) => value !== ''),
    );
  }

  /** 32 bytes in base64; the text of a wrong one is never shown. */
  key(name: string): { readonly bytes: Uint8Array; readonly setting: Setting } | undefined {
    const setting = this.one(name);
    if (!setting) return undefined;
    const bytes = parseKey(setting.value);
    if (bytes) return { bytes, setting };
    const found = `found text of ${setting.value.length} characters`;
    const expected = `expected ${KEY_BYTES} bytes in base64 (44 characters)`;
    this.fault(setting.line, `${setting.name}: ${found}, ${expected}`);
    return undefined;
  }

  /** A decimal or hexadecimal number, or `words`, which stand for 0. */
  number(key: string, greatest: number, ...words: readonly string[]): number | undefined {
    const setting = this.one(key);
    if (!setting) return undefined;
    const { line, name, value } = setting;
    if (words.includes(value.toLowerCase())) return 0;
    const number = /^(\d{1,10}|0x[0-9a-f]{1,8})$/i.test(value) ? Number(value) : Number.NaN;
    if (number <= greatest) return number;
    const expected = [`a number from 0 to ${greatest}`, ...words].join(' or ');
    this.fault(line, `${name}: found "${value}", expected ${expected}`);
    return undefined;
  }

  /** The settings of no key that was asked for. */
  others(): Setting[] {
    return this.section.settings.filter(({ key }) => !this.#asked.has(key));
  }

  fault(line: number, message: string): void {
    this.#remarks.faults.push({ line, message });
  }

  note(line: number, message: string): void {
    this.#remarks.notes.push({ line, message });
  }
}
