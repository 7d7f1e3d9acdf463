import { z } from 'zod';
import { ModelName } from '#domain/model/definition.ts';
import type { Run } from '../../context.ts';
import { refuse } from '../../refusal.ts';
import { modelNames } from '../../references.ts';
import { shortDigest } from '../../report.ts';
import { checkModels, errorsOf } from './checked.ts';

export const run: Run = async (context) => {
  const { names: given } = context.input(z.object({ names: z.array(ModelName) }));
  const names = given.length === 0 ? await modelNames(context) : given;
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
};
