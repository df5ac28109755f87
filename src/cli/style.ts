/** Colour for people at a terminal who want it; plain text for everybody else. */

export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  bad(text: string): string;
}

export const PLAIN: Style = {
  bold: (text) => text,
  dim: (text) => text,
  good: (text) => text,
  bad: (text) => text,
};

const COLOUR: Style = {
  bold: (text) => `\u001b[1m${text}\u001b[22m`,
  dim: (text) => `\u001b[2m${text}\u001b[22m`,
  good: (text) => `\u001b[32m${text}\u001b[39m`,
  bad: (text) => `\u001b[31m${text}\u001b[39m`,
};

/** No colour off a terminal, on a dumb one, or where NO_COLOR is set (no-color.org). */
export function chooseStyle(isTty: boolean, env: NodeJS.ProcessEnv): Style {
  if (!isTty || env.NO_COLOR || env.TERM === 'dumb') return PLAIN;
  return COLOUR;
}
