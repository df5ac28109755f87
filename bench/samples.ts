/** Collects the samples of a run, by subject and measure. */

import type { MeasureId, Series } from './result.js';

/** More than any of the measures is good for. */
const DIGITS = 5;

export class Samples {
  readonly #values = new Map<string, Map<MeasureId, number[]>>();

  add(subject: string, measure: MeasureId, value: number): void {
    const ofSubject = this.#values.get(subject) ?? new Map<MeasureId, number[]>();
    this.#values.set(subject, ofSubject);
    const samples = ofSubject.get(measure) ?? [];
    ofSubject.set(measure, samples);
    samples.push(value);
  }

  series(): Series[] {
    return [...this.#values].flatMap(([subject, ofSubject]) =>
      [...ofSubject].map(([measure, samples]) => ({
        subject,
        measure,
        samples: samples.map((value) => Number(value.toPrecision(DIGITS))),
      })),
    );
  }
}
