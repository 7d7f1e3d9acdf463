import { z } from 'zod';

// What the command line sends and reads of the Open Inference Protocol, version 2.

const Tensor = z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.int()) });

/** What an endpoint says of its model. */
export const Metadata = z.object({
  name: z.string(),
  versions: z.array(z.string()),
  platform: z.string(),
  inputs: z.array(Tensor),
  outputs: z.array(Tensor),
});
export type Metadata = z.infer<typeof Metadata>;

/** An answer: a probability for each event, and what it was made from. */
export const Answered = z.object({
  model_name: z.string(),
  model_version: z.string(),
  parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  outputs: z.array(z.object({ name: z.string(), data: z.array(z.union([z.number(), z.string()])) })),
});
export type Answered = z.infer<typeof Answered>;

const Value = z.union([z.string(), z.number(), z.bigint(), z.boolean(), z.null()]);
const Row = z.record(z.string(), Value);
type Row = z.infer<typeof Row>;

/** A file of events: one, several, or some with the events of the hours before, which the model counts. */
export const EventFile = z.union([
  z.strictObject({ events: z.array(Row).min(1), context: z.array(Row).default([]) }),
  z.strictObject({ event: Row, context: z.array(Row).default([]) }).transform(({ event, context }) => ({
    events: [event],
    context,
  })),
  z
    .array(Row)
    .min(1)
    .transform((events) => ({ events, context: [] as Row[] })),
  Row.transform((event) => ({ events: [event], context: [] as Row[] })),
]);
export type EventFile = z.output<typeof EventFile>;
