import { cpSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ModelDefinition } from '#domain/model/definition.ts';
import { tighten } from '#domain/policy/tighten.ts';
import type { PolicyTightening } from '#domain/policy/tightening.ts';
import { compileDeployment } from '#model/compile-deployment.ts';
import type { Config } from '#model/config.ts';
import { OPERATIONS_DEFAULT } from '#domain/policy/operations.ts';
import { CONFIG_RULES, DEPLOYMENT_RULES } from '#model/config-rules.ts';
import {
  contradictionsIn,
  contradictionsOf,
  contradictionsWith,
  contradictionText,
  type DescribedModel,
} from '#model/consistency.ts';
import { MODEL_RULES } from '#model/model-rules.ts';
import config from '../../../gatehouse.config.ts';
import governance from '../../../governance/policy.ts';
import {
  ROOT,
  reference,
  folder,
  type Changes,
  SUITES,
  labels,
  withoutProbation,
  BROKEN,
  other,
  BROKEN_CONFIG,
  begin,
  end,
} from './_inconsistent-models.ts';

beforeAll(begin);
afterAll(end);

const STABLE: PolicyTightening = { drift: { stable: ['distance'] } };

/** The reference model under the organisation's floor, with as little of it changed as contradicts. */
function described({ definition = (same) => same, floor = (same) => same, own = {}, suites }: Changes): DescribedModel {
  const tightening = { ...STABLE, ...own };
  return {
    definition: definition(reference),
    policy: tighten(reference.name, floor(governance), tightening),
    own: tightening,
    suites: Object.fromEntries(
      Object.entries(suites ?? SUITES).map(([kind, suite]) => [
        kind,
        'named' in suite ? suite : { named: suite, whole: [] },
      ]),
    ),
  };
}

const BROKEN_DEPLOYMENT: readonly (readonly [rule: string, Config, retentionDays: number, found: string])[] = [
  ['on-call-roles', { ...config, onCall: { platfrom: ['pat@example.com'] } }, 30, 'onCall names platfrom'],
  [
    'retained-long-enough',
    { ...config, retention: { ...config.retention, artifactYears: 1 } },
    400,
    'retentionDays = 400 of m',
  ],
];

describe('definitions that can never pass', () => {
  it.each(BROKEN)('break %s', (rule, changes, found, remedy) => {
    const contradictions = contradictionsOf(described(changes));
    // One contradiction is one message: nothing else is wrong with it.
    expect(contradictions.map(contradictionText)).toHaveLength(1);
    expect(contradictions).toEqual([
      { rule, found: expect.stringContaining(found), remedy: expect.stringContaining(remedy) },
    ]);
  });

  it.each(BROKEN_CONFIG)('break %s of the configuration', (rule, changed, found, remedy) => {
    expect(contradictionsIn(changed)).toEqual([
      { rule, found: expect.stringContaining(found), remedy: expect.stringContaining(remedy) },
    ]);
  });

  it.each(BROKEN_DEPLOYMENT)('break %s of a deployment', (rule, changed, retentionDays, found) => {
    const definition = { name: 'm', escalation: ['ml-lead'] };
    const models = [{ definition, policy: { operations: { ...OPERATIONS_DEFAULT, retentionDays } } }];
    expect(contradictionsWith({ config: changed, models })).toMatchObject([
      { rule, found: expect.stringContaining(found) },
    ]);
    expect(contradictionsWith({ config, models: [{ definition, policy: {} }] })).toEqual([]);
  });

  it('have a smallest example for each rule, and are documented', async () => {
    const rules = [...MODEL_RULES, ...CONFIG_RULES, ...DEPLOYMENT_RULES].map(({ id }) => id);
    expect(new Set([...BROKEN, ...BROKEN_CONFIG, ...BROKEN_DEPLOYMENT].map(([rule]) => rule))).toEqual(new Set(rules));
    expect(new Set(rules).size).toBe(rules.length);
    const document = await readFile(join(ROOT, 'docs/consistency.md'), 'utf8');
    expect(rules.filter((id) => !document.includes(`\`${id}\``))).toEqual([]);
  });

  it('are none of the reference model, those of the tests and the template', async () => {
    cpSync(join(ROOT, 'cli/templates/model'), join(folder, 'churn'), { recursive: true });
    const deployed = await compileDeployment(ROOT, config, ['models', 'test/models', folder]);
    expect(deployed.models.map(({ definition }) => definition.name)).toEqual(['flight-delay', 'card-fraud', 'churn']);
    const one = { ...config.environments.dev };
    const trial = { ...config, environments: { dev: one, staging: one, prod: one, control: one } };
    expect(contradictionsIn(trial)).toEqual([]);
  });

  it('can pass once they have what the messages ask for', () => {
    const late = labels({ horizonDays: 10, matureAfterDays: 12 });
    const model = (testDays: number): DescribedModel =>
      described({
        definition: (definition) => ({
          ...late(definition),
          features: { ...definition.features, eventDays: 12 },
          evaluation: { ...definition.evaluation, testDays },
        }),
        own: withoutProbation,
      });
    const [contradiction] = contradictionsOf(model(60));
    expect(contradiction).toMatchObject({ remedy: 'set evaluation.testDays to 61 or more' });
    expect(contradictionsOf(model(61))).toEqual([]);
    expect(ModelDefinition.safeParse(model(61).definition).success).toBe(true);
  });

  it('are refused at synthesis, each in a line', async () => {
    const home = join(folder, 'wrong');
    cpSync(join(ROOT, 'cli/templates/model'), join(home, 'late'), { recursive: true });
    const model = await readFile(join(home, 'late/model.ts'), 'utf8');
    writeFileSync(
      join(home, 'late/model.ts'),
      model.replace('matureAfterDays: 3', 'horizonDays: 10, matureAfterDays: 10'),
    );
    const region = other('control', { region: 'eu-central-1' });
    await expect(compileDeployment(ROOT, region, [home])).rejects.toThrow(
      /^one-region: .*\nholdout-long-enough: .*10 \(models\/late\/model\.ts\).*\nprobation-outlasts-labels: /,
    );
  });
});
