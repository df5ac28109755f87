/** All that a node in its network is made of: what its parts share, and the parts. */

import type { Addresses } from './addresses.js';
import type { Affairs, AffairsParts } from './affairs.js';
import type { Enrolment } from './enrolment.js';

export interface MembershipParts extends AffairsParts {
  readonly addresses: Addresses;
  readonly enrolment: Enrolment;
  readonly affairs: Affairs;
}
