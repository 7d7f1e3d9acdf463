import type { TransitionRule } from '#domain/policy/policy.ts';
import type { DescribedModel } from './consistency.ts';

/** A value of `model.ts`, and where it stands. */
export function inModel({ definition }: DescribedModel, path: string): string {
  return `${path} = ${shown(valueAt(definition, path))} (models/${definition.name}/model.ts)`;
}

/** A value of the policy, and the file that says it: the model's own where it speaks of it, or the floor. */
export function inPolicy(model: DescribedModel, path: string): string {
  const file = valueAt(model.own, path) === undefined ? 'governance/policy.ts' : own(model);
  return `${path} = ${shown(valueAt(model.policy, path))} (${file})`;
}

/** The file of a model's own policy. */
export function own({ definition }: DescribedModel): string {
  return `models/${definition.name}/policy.ts`;
}

function valueAt(document: object, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
      document,
    );
}

/** A value as people read it: of a group of rules its fields, of a list all that is in it. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return JSON.stringify(value).replaceAll('"', '').replaceAll(/[,:]/g, '$& ');
  if (typeof value === 'object' && value !== null) return `{ ${Object.keys(value).join(', ')} }`;
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
}

/** The rules of a model's transitions, and where in the policy each stands. */
export function transitions({
  policy,
}: DescribedModel): readonly { readonly path: string; readonly rule: TransitionRule }[] {
  return Object.entries(policy.transitions).map(([name, rule]) => ({ path: `transitions.${name}`, rule }));
}
