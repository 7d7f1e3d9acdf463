import type { Config } from './config.ts';
import { unpushedImage } from './define-model.ts';

/** The image that validates data against its expectation suites: the configured one, or the name that stands for its program on a laptop. */
export function dataQualityImage({ images }: Config): string {
  return images?.dataQuality ?? unpushedImage('data-quality');
}
