/** Join lines kept out of what is printed about a command line that has one where none belongs. */

const JOIN_LINE = /heddle1[a-z2-7]{16,}/gi;
const ADVICE =
  'A join line stood on the command line, where others on this host can read it, and in the ' +
  'history of the shell: revoke it where it was made, `heddle invitations revoke`.\n' +
  '`heddle up --join` asks for a new one, or reads it from standard input or --join-file FILE.\n';

/** `text` without the lines; where there were some, with what to do now. */
export function hideJoinLines(text: string): string {
  const hidden = text.replaceAll(JOIN_LINE, 'heddle1...');
  return hidden === text ? text : `${hidden.trimEnd()}\n${ADVICE}`;
}

export function isJoinLine(text: string): boolean {
  return text.search(JOIN_LINE) === 0;
}
