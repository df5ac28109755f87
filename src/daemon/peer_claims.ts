/** What only one peer of a configuration may have, and which peer had it first. */

import { type Prefix, parsePrefix } from '../base/address.js';
import { present } from '../base/assert.js';
import type { Path } from './config_document.js';
import { describeText, formatPath } from './config_fault.js';
import type { PeerShape } from './config_schema.js';
import type { FaultList } from './fault_list.js';

export class PeerClaims {
  readonly #faults: FaultList;
  readonly #first = new Map<string, number>();

  constructor(faults: FaultList) {
    this.#faults = faults;
  }

  /**
   * Notes that peer `i` has this, or adds the fault that another had it before. `what` says it in
   * words; `text` is what of it is not said.
   */
  claim(what: string, i: number, path: Path, text = ''): void {
    const key = what + text;
    const first = this.#first.get(key);
    if (first === undefined) this.#first.set(key, i);
    else this.#faults.add(path, `${formatPath(path)}: peers[${first}] already ${what}`);
  }

  name(name: string, shape: PeerShape, i: number): void {
    const path = shape.name === undefined ? ['peers', i] : ['peers', i, 'name'];
    this.claim(`is named ${describeText(name)}`, i, path);
  }

  prefix({ text }: Prefix, i: number, path: Path): void {
    this.claim(`has ${text}, and a prefix belongs to one peer`, i, path);
  }
}

/** The peer's prefixes, each once, with the place of the first. */
export function prefixesOf(shape: PeerShape, i: number): { prefix: Prefix; path: Path }[] {
  const own = new Map<string, { prefix: Prefix; path: Path }>();
  for (const [j, text] of shape.allowedIps.entries()) {
    const prefix = present(parsePrefix(text), 'the schema checked the prefix');
    if (!own.has(prefix.text))
      own.set(prefix.text, { prefix, path: ['peers', i, 'allowedIps', j] });
  }
  return [...own.values()];
}
