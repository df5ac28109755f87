/** What the session cores of one node share: given to them, never made by them. */

import type { Random } from '../base/random.js';
import type { CryptoSuite } from '../crypto/suite.js';
import type { StaticKeys } from './handshake.js';
import type { SessionTable } from './session_table.js';
import type { WallClock } from '../base/wall_clock.js';

export interface SessionDependencies {
  readonly crypto: CryptoSuite;
  readonly random: Random;
  readonly table: SessionTable;
  readonly wallClock: WallClock;
  /** Our own static keys; undefined while there are none. */
  readonly identity: { readonly keys: StaticKeys | undefined };
}
