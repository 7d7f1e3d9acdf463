import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { parseExactJson } from '#domain/canonical/exact-json.ts';
import { ModelName } from '#domain/model/definition.ts';
import type { Run } from '../../context.ts';
import { UsageError } from '../../refusal.ts';
import { requestOf } from '#domain/prediction/inference-request.ts';
import { Answered, EventFile, Metadata } from './protocol.ts';
import { callEndpoint, endpointUrl } from './read.ts';

const Input = z.object({ model: ModelName, event: z.string().min(1) });

export const run: Run = async (context) => {
  const { model, event: file } = context.input(Input);
  const events = await readEvents(file);
  const cloud = context.cloud(context.environment(['staging', 'prod'], 'prod'));
  const url = await endpointUrl(cloud, model);
  const metadata = await callEndpoint(cloud, Metadata, new URL(`/v2/models/${model}`, url));
  const infer = new URL(`/v2/models/${model}/infer`, url);
  const answer = await callEndpoint(cloud, Answered, infer, requestOf(metadata, events));
  const probabilities = answer.outputs.find(({ name }) => name === 'probability')?.data ?? [];
  const { digest, aggregates_until: until } = answer.parameters;
  context.print({
    data: answer,
    sections: [
      {
        lines: [
          `${answer.model_name}@${answer.model_version} in ${cloud.environment}: ${String(digest)}`,
          `  aggregates until ${String(until)}, ${events.context.length} events of context`,
        ],
      },
      {
        columns: ['event', 'probability'],
        rows: probabilities.map((each, index) => [String(index + 1), Number(each).toFixed(6)]),
      },
    ],
  });
};

/** The events of a file, and those of the hours before them. */
export async function readEvents(file: string): Promise<EventFile> {
  const text = await readFile(file, 'utf8').catch(() => {
    throw new UsageError(`--event ${file}: there is no such file`);
  });
  let json: unknown;
  try {
    json = parseExactJson(text);
  } catch (error) {
    throw new UsageError(`--event ${file} is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const events = EventFile.safeParse(json);
  if (!events.success)
    throw new UsageError(
      `--event ${file}: expected an event as { column: value }, a list of them, or { "event": {...}, "context": [{...}] }`,
    );
  return events.data;
}
