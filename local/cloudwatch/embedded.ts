import { z } from 'zod';
import { isTimely, type Measured } from './requests.ts';
import { sampleOf } from './statistics.ts';

const Directive = z.object({
  Namespace: z.string().min(1).max(1024),
  Dimensions: z.array(z.array(z.string().min(1).max(250)).max(30)).min(1),
  Metrics: z.array(z.object({ Name: z.string().min(1).max(1024), Unit: z.string().default('None') })).max(100),
});
const Embedded = z.looseObject({
  _aws: z.object({ Timestamp: z.int(), CloudWatchMetrics: z.array(Directive) }),
});
const Values = z.union([z.number().transform((value) => [value]), z.array(z.number()).max(100)]);
const DimensionValue = z.string().min(1).max(1024);

/** What an embedded line measures, or why it measures nothing. */
export type EmbeddedLine =
  | { readonly measured: readonly Measured[] }
  | { readonly error: 'EMFParsingErrors' | 'EMFValidationErrors'; readonly found: string };

/**
 * Reads a line of a function's log in the embedded metric format. A line that breaks the format measures nothing, as on AWS,
 * which counts it in `AWS/Logs` under the metric that `error` names. The runtime may have written before the document.
 *
 * Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function readEmbedded(line: string, now: number): EmbeddedLine {
  let document: unknown;
  try {
    document = JSON.parse(line.slice(Math.max(0, line.indexOf('{'))));
  } catch (error) {
    return { error: 'EMFParsingErrors', found: String(error) };
  }
  if (typeof document !== 'object' || document === null || !('_aws' in document)) return { measured: [] };
  const parsed = Embedded.safeParse(document);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { error: 'EMFValidationErrors', found: `${issue?.path.join('.')}: ${issue?.message}` };
  }
  const { _aws: about, ...members } = parsed.data;
  if (!isTimely(about.Timestamp, now))
    return { error: 'EMFValidationErrors', found: `_aws.Timestamp: ${about.Timestamp} is too old or too new` };
  const measured: Measured[] = [];
  for (const { Namespace: namespace, Dimensions, Metrics } of about.CloudWatchMetrics)
    for (const names of Dimensions) {
      const dimensions: Record<string, string> = {};
      for (const name of names) {
        const value = DimensionValue.safeParse(members[name]);
        if (!value.success) return { error: 'EMFValidationErrors', found: `${name}: is no value of a dimension` };
        dimensions[name] = value.data;
      }
      for (const { Name: name, Unit } of Metrics) {
        const values = Values.safeParse(members[name]);
        if (!values.success)
          return { error: 'EMFValidationErrors', found: `${name}: is no number and no list of them` };
        const metric = { namespace, name, dimensions };
        for (const value of values.data) measured.push({ metric, sample: sampleOf(about.Timestamp, value, Unit) });
      }
    }
  return { measured };
}
