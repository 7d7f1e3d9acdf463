// Consumers of an endpoint: signed calls of its API.
import { z } from 'zod';
import { signedCall } from '#adapters/aws/signed-call.ts';
import { eventually } from '../_helpers/cloud.ts';
import { type Journey, MODEL, type SpineEnvironment } from './_harness.ts';
import { FIRST } from './_lifecycle.ts';

/** An event of the day that the newest aggregates are for, which no producer will land. */
export const EVENT = {
  payment_id: 900_001,
  card: 'card-7',
  paid_at: `${FIRST.asOf}T08:15:00Z`,
  amount: 120.5,
  abroad: true,
};
export type Payment = typeof EVENT;

export const Answer = z.object({
  model_version: z.string(),
  parameters: z.looseObject({ digest: z.string(), aggregates_until: z.string() }),
  outputs: z.array(z.object({ name: z.string(), data: z.array(z.union([z.number(), z.string()])) })),
});

/** What an endpoint answers: `digest` is the release, or what is said of an error; the probability is that of the first event. */
export interface Asked {
  readonly status: number;
  readonly digest: string;
  readonly probability: unknown;
}

/** Somebody who asks an endpoint for predictions. */
export interface Asking {
  readonly url: URL;
  readonly inputs: readonly string[];
  ask(events?: readonly Payment[]): Promise<Asked>;
}

const Shown = z.object({ url: z.string(), ready: z.boolean(), inputs: z.array(z.object({ name: z.string() })) });
const DATATYPES = { payment_id: 'INT64', card: 'BYTES', paid_at: 'BYTES', amount: 'FP64', abroad: 'BOOL' } as const;

/** A consumer of the model's endpoint in an environment, once it is ready. */
export async function asking(journey: Journey, environment: SpineEnvironment): Promise<Asking> {
  const shown = await eventually('the endpoint to be ready', async () => {
    const found = await journey.run(Shown, ['endpoint', 'show', MODEL, '--env', environment]);
    return found.ready ? found : undefined;
  });
  const url = new URL(shown.url);
  const { account, region } = journey.account(environment).names;
  const caller = { region, credentials: { accessKeyId: account, secretAccessKey: 'test' } };
  return {
    url,
    inputs: shown.inputs.map(({ name }) => name),
    async ask(events = [EVENT]) {
      const { status, text } = await signedCall(caller, new URL(`/v2/models/${MODEL}/infer`, url), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          inputs: Object.entries(DATATYPES).map(([name, datatype]) => ({
            name,
            datatype,
            shape: [events.length],
            data: events.map((event) => event[name as keyof Payment]),
          })),
        }),
      });
      if (status !== 200) return { status, digest: text, probability: undefined };
      const answer = Answer.parse(JSON.parse(text));
      return { status, digest: answer.parameters.digest, probability: answer.outputs[0]?.data[0] };
    },
  };
}
