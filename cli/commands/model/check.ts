import { z } from 'zod';
import { ModelName } from '#domain/model/definition.ts';
import { compileModel } from '#model/compile.ts';
import type { Context, Run } from '../../context.ts';
import { RefusedError, refuse, UsageError } from '../../refusal.ts';
import { modelFolder, modelNames } from '../../references.ts';
import { shortDigest } from '../../report.ts';
import { checkData } from './check-data.ts';
import { checkModels, errorsOf } from './checked.ts';
import { checkOnline } from './check-online.ts';
import { compilePolicyOf } from './policy.ts';

const Input = z.object({
  names: z.array(ModelName),
  events: z.array(z.string()).default([]),
  labels: z.array(z.string()).default([]),
});

export const run: Run = async (context) => {
  const { names: given, events, labels } = context.input(Input);
  if (labels.length > 0 && events.length === 0) throw new UsageError('--labels needs --events');
  const names = given.length === 0 ? await modelNames(context) : given;
  const [name, ...others] = names;
  if (events.length > 0 && others.length > 0)
    throw new UsageError(`--events are of one model: name one of ${names.join(', ')}`);
  if (names.length === 0) refuse('model-known', 'there is no model', 'make one: gatehouse model new NAME');
  const checked = await checkModels(context, names);
  const wrong = [
    ...checked.models.map(({ model, errors }) => ({ title: model, errors })),
    { title: 'gatehouse.config.ts', errors: checked.config },
  ].filter(({ errors }) => errors.length > 0);
  context.print({
    data: checked,
    sections: [
      {
        columns: ['model', 'definition', 'policy', 'result'],
        rows: checked.models.map(({ model, definition, policy, errors }) => [
          model,
          shortDigest(definition),
          shortDigest(policy),
          errors.length === 0 ? 'ok' : `${errors.length} errors`,
        ]),
      },
      ...wrong.map(({ title, errors }) => ({ title, lines: errors.map((error) => `  ${error}`) })),
    ],
  });
  const [first] = errorsOf(checked);
  if (first !== undefined) refuse('model-valid', first, 'correct the named fields and check again');
  if (name === undefined || events.length === 0) return;
  const folder = await modelFolder(context, name);
  const model = { folder, definition: await compileModel(folder), policy: await compilePolicyOf(context, folder) };
  if (model.definition.online !== undefined && labels.length > 0)
    await checkRequests(context, model, { events, labels });
  const { verdict, reasons, lines } = await checkData(context, model, { events, labels });
  context.print({
    data: { data: { verdict, reasons } },
    sections: [
      { title: `${name} on the given files: ${verdict}`, lines: [...lines, ...reasons.map((reason) => `  ${reason}`)] },
    ],
  });
  if (verdict === 'FAIL')
    refuse('data-valid', reasons.join('; '), 'correct the files at their source, or what the model expects of them');
};

/** Says, and refuses, what is wrong with the declaration of an online model: before the suites, which take some seconds. */
async function checkRequests(
  context: Context,
  model: Parameters<typeof checkOnline>[1],
  given: Parameters<typeof checkOnline>[2],
): Promise<void> {
  const { days, events, different, lines, refusal } = await checkOnline(context, model, given);
  context.print({
    data: { online: { days, events, different } },
    sections: [{ title: `${model.definition.name} on request`, lines }],
  });
  if (refusal !== undefined) throw new RefusedError(refusal);
}
