import { z } from 'zod';
import { digestOfJson } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import { ModelName } from '#domain/model/definition.ts';
import { checkPolicy, compileCard } from '#model/compile-deployment.ts';
import { compileModel } from '#model/compile.ts';
import type { Run } from '../../context.ts';
import { refuse } from '../../refusal.ts';
import { modelFolder, modelNames } from '../../references.ts';
import { shortDigest } from '../../report.ts';
import { compilePolicyOf } from './policy.ts';

/** What compiling a model says. */
interface Checked {
  readonly model: string;
  readonly definition: string | null;
  readonly policy: string | null;
  readonly errors: readonly string[];
}

/** Codes of what is wrong in a model's own files; anything else is a fault of the machine. */
const WRONG = new Set(['BAD_MODEL', 'NO_DEFAULT_EXPORT', 'POLICY_LOOSENED', 'BAD_DOCUMENT']);

export const run: Run = async (context) => {
  const { names: given } = context.input(z.object({ names: z.array(ModelName) }));
  const names = given.length === 0 ? await modelNames(context) : given;
  if (names.length === 0) refuse('model-known', 'there is no model', 'make one: gatehouse model new NAME');
  const checked: Checked[] = [];
  for (const model of names) {
    const folder = await modelFolder(context, model);
    const errors: string[] = [];
    const attempt = async <T>(compile: () => Promise<T>): Promise<T | null> => {
      try {
        return await compile();
      } catch (error) {
        if (!(error instanceof GatehouseError) || !WRONG.has(error.code)) throw error;
        errors.push(...error.message.split('\n'));
        return null;
      }
    };
    const definition = await attempt(() => compileModel(folder));
    const policy = await attempt(() => compilePolicyOf(folder));
    await attempt(() => compileCard(folder));
    if (definition !== null && policy !== null) await attempt(async () => checkPolicy(definition, policy));
    const digest = (of: object | null): string | null => (of === null ? null : digestOfJson(of));
    checked.push({ model, definition: digest(definition), policy: digest(policy), errors });
  }
  context.print({
    data: { models: checked },
    sections: [
      {
        columns: ['model', 'definition', 'policy', 'result'],
        rows: checked.map(({ model, definition, policy, errors }) => [
          model,
          shortDigest(definition),
          shortDigest(policy),
          errors.length === 0 ? 'ok' : `${errors.length} errors`,
        ]),
      },
      ...checked
        .filter(({ errors }) => errors.length > 0)
        .map(({ model, errors }) => ({ title: model, lines: errors.map((error) => `  ${error}`) })),
    ],
  });
  const wrong = checked.filter(({ errors }) => errors.length > 0);
  if (wrong.length > 0) refuse('model-valid', wrong[0]?.errors[0] ?? '', 'correct the named fields and check again');
};
