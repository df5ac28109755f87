/**
 * A wg-quick file as its sections and settings, with their lines: what `wg` and wg-quick read of
 * it, before anybody asks what a setting means. Keys and section names are of either case, `#`
 * starts a comment anywhere.
 *
 * Source: wg(8) CONFIGURATION FILE FORMAT, wg-quick(8) CONFIGURATION.
 */

export interface Setting {
  /** As written. */
  readonly name: string;
  /** In lower case. */
  readonly key: string;
  readonly value: string;
  readonly line: number;
}

export interface Section {
  readonly kind: 'interface' | 'peer';
  readonly line: number;
  readonly settings: Setting[];
  /**
   * The comments that stand at its head: in the lines right above, behind its name, and right
   * below.
   */
  readonly comments: string[];
}

export interface LineFault {
  readonly line: number;
  readonly message: string;
}

export interface WgQuickFile {
  readonly sections: readonly Section[];
  readonly faults: readonly LineFault[];
}

export function parseWgQuick(text: string): WgQuickFile {
  const reader = new Reader();
  for (const [i, line] of text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .entries()) {
    reader.add(line, i + 1);
  }
  return reader;
}

class Reader implements WgQuickFile {
  readonly sections: Section[] = [];
  readonly faults: LineFault[] = [];
  /** Comments with nothing but comments between them and what comes. */
  #comments: string[] = [];

  add(text: string, line: number): void {
    const hash = text.indexOf('#');
    const comment = hash < 0 ? '' : text.slice(hash).replace(/^#+/, '').trim();
    const content = (hash < 0 ? text : text.slice(0, hash)).trim();
    if (content === '') return this.#addComment(comment, hash >= 0);
    if (content.startsWith('[')) this.#addSection(content, comment, line);
    else this.#addSetting(content, line);
    this.#comments = [];
  }

  #addComment(comment: string, isComment: boolean): void {
    const current = this.sections.at(-1);
    if (!isComment) this.#comments = [];
    else if (comment === '') return;
    else if (current && current.settings.length === 0) current.comments.push(comment);
    else this.#comments.push(comment);
  }

  #addSection(content: string, comment: string, line: number): void {
    const kind = content.toLowerCase().replaceAll(/\s/g, '');
    if (kind !== '[interface]' && kind !== '[peer]') {
      const message = 'unknown section; expected [Interface] or [Peer]';
      this.faults.push({ line, message });
    }
    this.sections.push({
      kind: kind === '[peer]' ? 'peer' : 'interface',
      line,
      settings: [],
      comments: [...this.#comments, ...(comment === '' ? [] : [comment])],
    });
  }

  #addSetting(content: string, line: number): void {
    const equals = content.indexOf('=');
    const section = this.sections.at(-1);
    if (equals <= 0) {
      this.faults.push({ line, message: 'expected a key, an equals sign and a value' });
    } else if (!section) {
      this.faults.push({ line, message: 'expected [Interface] or [Peer] before the first key' });
    } else {
      const name = content.slice(0, equals).trim();
      const value = content.slice(equals + 1).trim();
      section.settings.push({ name, key: name.toLowerCase(), value, line });
    }
  }
}

/** What the comments at the head of a peer call it, where they can mean nothing but a name. */
export function nameIn(comments: readonly string[]): string | undefined {
  const told = comments.flatMap((comment) => LABEL.exec(comment)?.[1] ?? []);
  const [name, ...others] = told.length > 0 ? told : comments;
  return name !== undefined && others.length === 0 && NAME.test(name) ? name : undefined;
}

/** As tools that write such files mark the name. */
const LABEL = /^(?:friendly_name\s*=|name\s*[=:]|begin_peer\s|(?:client|peer)\s*:?\s)\s*(\S.*)$/i;
/** One to three words without a character that a setting or a sentence would have. */
const NAME = /^(?=.{1,63}$)[\p{L}\p{N}_][\p{L}\p{N}_.@'-]*(?: [\p{L}\p{N}_.@'()-]+){0,2}(?<!\.)$/u;
