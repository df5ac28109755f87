/** The version of this source tree; package.json has the same, which a test checks. */
export const VERSION = '0.1.0';
