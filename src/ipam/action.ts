/** Everything that the cores of this folder can want. Carried out in order. */

import type { Prefix } from '../base/address.js';
import type { NodeId } from '../base/identifiers.js';

export type IpamAction =
  /**
   * A lease of ours: persist, then sign, store and spread it, then feed `claimed`; or `notClaimed`
   * where it cannot be persisted. At most one a key is under way.
   */
  | { readonly kind: 'claim'; readonly key: string; readonly body: Uint8Array }
  /** What these members have is another: ourselves may be among them. */
  | { readonly kind: 'changed'; readonly ids: readonly NodeId[] }
  /** An operator should know: we have another prefix than before. */
  | {
      readonly kind: 'readdressed';
      readonly from: Prefix;
      readonly to: Prefix;
      /** Who has the old one; undefined: nobody, it lies in the pool no more. */
      readonly because: NodeId | undefined;
    }
  /** An operator should know: nothing of this length is free; tried again, said once. */
  | { readonly kind: 'exhausted'; readonly pool: Prefix; readonly length: number };
