import type { LoadMeasure } from '#domain/release-tests/load-report.ts';

/** Sends a request to the endpoint of a model again and again, several at a time. */
export interface LoadGenerator {
  /** What sends, with its version, as reports name it. */
  readonly name: string;
  /** @param whyWrong what is wrong with the text of an answer that has status 200; undefined where nothing is */
  run(
    load: { readonly model: string; readonly path: string; readonly body: object } & {
      readonly seconds: number;
      readonly connections: number;
    },
    whyWrong: (text: string) => string | undefined,
  ): Promise<LoadMeasure>;
}
