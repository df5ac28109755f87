/** bench/README.md: what a run writes stands between two marks, everything else is people's. */

export interface Marks {
  readonly begin: string;
  readonly end: string;
}

export const BENCH_MARKS: Marks = {
  begin: '<!-- what follows is written by `npm run bench` -->',
  end: '<!-- end of what `npm run bench` writes -->',
};

/** The text with what stands between the marks replaced. Throws where they are not there once. */
export function spliceReadme(text: string, generated: string, marks = BENCH_MARKS): string {
  const [begin, end] = [text.indexOf(marks.begin), text.indexOf(marks.end)];
  const isOnce = text.lastIndexOf(marks.begin) === begin && text.lastIndexOf(marks.end) === end;
  if (begin < 0 || end < begin || !isOnce) {
    throw new Error(`bench/README.md needs "${marks.begin}" and then "${marks.end}", each once`);
  }
  return `${text.slice(0, begin)}${marks.begin}\n\n${generated.trim()}\n\n${text.slice(end)}`;
}
