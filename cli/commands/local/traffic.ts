import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { compileModel } from '#model/compile.ts';
import { ModelName, typeOf } from '#domain/model/definition.ts';
import { requestOf } from '#domain/prediction/inference-request.ts';
import type { Run } from '../../context.ts';
import { modelFolder } from '../../references.ts';
import { RefusedError } from '../../refusal.ts';
import { readEvents } from '../endpoint/ask.ts';
import { Answered, type EventFile, Metadata } from '../endpoint/protocol.ts';
import { callEndpoint, endpointUrl } from '../endpoint/read.ts';

const Input = z.object({
  model: ModelName,
  event: z.string().min(1),
  rate: z.coerce.number().gt(0, 'requests per second, above 0').max(100, 'at most 100 requests per second').default(5),
  seconds: z.coerce.number().gt(0, 'seconds, above 0').max(86_400, 'at most a day').default(120),
});

/** Requests that wait for their answers at the same time, at most: what is slow is not asked for more. */
const AT_ONCE = 8;

/** Sends an example event again and again, each time as another event: what a canary on a laptop has for its traffic. */
export const run: Run = async (context) => {
  const { model, event, rate, seconds } = context.input(Input);
  const events = await readEvents(event);
  const { events: columns } = await compileModel(await modelFolder(context, model));
  const isNumber = ['INTEGER', 'BIGINT'].includes(typeOf(columns.columns[columns.id]) ?? 'VARCHAR');
  const cloud = context.cloud(context.environment(['staging', 'prod'], 'prod'));
  const url = await endpointUrl(cloud, model);
  const metadata = await callEndpoint(cloud, Metadata, new URL(`/v2/models/${model}`, url));
  const infer = new URL(`/v2/models/${model}/infer`, url);
  const answers = new Map<string, number>();
  const count = (what: string): void => void answers.set(what, (answers.get(what) ?? 0) + 1);
  // Ids that no earlier traffic had: an event counts once, however often it is asked for.
  const first = context.now().getTime();
  const ask = async (number: number): Promise<void> => {
    const id = isNumber ? first + number : `traffic-${first}-${number}`;
    try {
      const body = requestOf(metadata, renamed(events, columns.id, id));
      const { model_version: version, parameters } = await callEndpoint(cloud, Answered, infer, body);
      const from = parameters['fallback_from'];
      count(`${version} as ${parameters['arm']}${from === undefined ? '' : `, for the ${from}`}`);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      count(error.refusal.found.slice(0, 100));
    }
  };
  const going = new Set<Promise<void>>();
  const total = Math.ceil(rate * seconds);
  for (let number = 0; number < total; number += 1) {
    const due = first + (number * 1000) / rate;
    await pause(Math.max(0, due - context.now().getTime()));
    if (going.size >= AT_ONCE) await Promise.race(going);
    const request = ask(number).finally(() => going.delete(request));
    going.add(request);
    if (number % Math.max(1, Math.round(rate * 10)) === 0) context.note(`${number} of ${total} requests`);
  }
  await Promise.all(going);
  const rows = [...answers].toSorted(([a], [b]) => (a < b ? -1 : 1));
  context.print({
    data: { model, environment: cloud.environment, requests: total, answers: Object.fromEntries(answers) },
    sections: [{ columns: ['answered by', 'requests'], rows: rows.map(([what, number]) => [what, String(number)]) }],
  });
};

function renamed({ events, context }: EventFile, column: string, id: string | number): EventFile {
  return { events: events.slice(0, 1).map((event) => ({ ...event, [column]: id })), context };
}
