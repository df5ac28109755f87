/** The three files of a mesh in the state folder: read at a start, written as the mesh asks. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { wipe } from '../base/bytes.js';
import { KeptFile } from '../io/kept_file.js';
import type { MeshFile } from '../mesh/action.js';
import { type Keys, parseKeys } from '../mesh/keys.js';
import { parseMembersFile } from '../mesh/members_file.js';
import { type OwnState, parseOwnState } from '../mesh/own_state.js';
import { MeshError } from './mesh_options.js';

export interface KeptMesh {
  /** Undefined: there were none yet. Holds secrets. */
  readonly keys: Keys | undefined;
  readonly own: OwnState | undefined;
  /** There was an `own`, and nothing of it can be read. */
  readonly isOwnLost: boolean;
  readonly records: readonly Uint8Array[];
  /** What an operator should know. */
  readonly remarks: readonly string[];
}

export class MeshFiles {
  readonly #folder: string;
  readonly #files: Readonly<Record<MeshFile, KeptFile>>;

  constructor(folder: string) {
    this.#folder = folder;
    const file = (name: MeshFile): KeptFile => new KeptFile(join(folder, name));
    this.#files = { keys: file('keys'), own: file('own'), members: file('members') };
  }

  /**
   * Throws FileError, and MeshError where keys that were there are damaged: others know this host
   * by them, so only its owner may give them up.
   */
  read(): KeptMesh {
    const keys = this.#files.keys.read();
    const own = this.#files.own.read();
    const members = this.#files.members.read();
    const remarks = [...keys.remarks, ...own.remarks, ...members.remarks];
    const parsed = keys.content && parseKeys(keys.content);
    if (keys.content) wipe(keys.content);
    if (!parsed && (keys.remarks.length > 0 || keys.content || own.content)) {
      const advice = 'restore it, or start with `heddle up --new-identity` to give it up';
      throw new MeshError(`The identity in "${join(this.#folder, 'keys')}" is lost: ${advice}`);
    }
    const ownState = own.content && parseOwnState(own.content);
    return {
      keys: parsed,
      own: ownState,
      isOwnLost: !ownState && (own.content !== undefined || this.#wasDamaged('own')),
      records: (members.content && parseMembersFile(members.content)) ?? [],
      remarks,
    };
  }

  /** Safe on the disk when it returns. Throws FileError. */
  write(file: MeshFile, content: Uint8Array): void {
    this.#files[file].write(content);
  }

  /** None of it is read again; it stays beside under other names. */
  setAside(): void {
    for (const file of Object.values(this.#files)) file.setAside();
  }

  /** Now or at an earlier start. */
  #wasDamaged(file: MeshFile): boolean {
    const path = join(this.#folder, file);
    return [`${path}.damaged`, `${path}.previous.damaged`].some((each) => existsSync(each));
  }
}
