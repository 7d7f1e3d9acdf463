import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { addDays } from '#domain/data/partition.ts';
import { readRuns, type Run } from '#read-model/runs.ts';
import type { Context } from '../../context.ts';
import { type Report, type Section, shortTime } from '../../report.ts';
import { whereDeployed } from './collect.ts';
import { DriftCheck } from './drift-check.ts';

type Checked = Pick<Run, 'run' | 'asOf' | 'status' | 'startedAt'> & DriftCheck;

/** What is known of drift in an environment. */
interface EnvironmentDrift {
  readonly environment: 'staging' | 'prod';
  /** The newest check; null where there never was one. */
  readonly newest: Checked | null;
  /** Whether it is older than the two days after which nothing is known any more. */
  readonly isOverdue: boolean;
  /** Where its picture was written. */
  readonly picture: string | null;
}

/** A check is daily; the second one that does not come is missing. */
const OVERDUE_DAYS = 2;
/** Checks that a picture shows. */
const SHOWN = 60;

/** What the checks of a model's drift say, in each environment that serves, with a picture of each. */
export async function driftReport(context: Context, models: readonly string[]): Promise<Report> {
  const found = [];
  for (const model of models) {
    const environments = [];
    for (const environment of ['staging', 'prod'] as const)
      environments.push(await driftOf(context, environment, model));
    const dev = await whereDeployed(readRuns(context.cloud('dev').ledger, model), []);
    const retraining = dev.find(({ trigger }) => trigger === 'drift') ?? null;
    found.push({ model, environments, retraining });
  }
  return { data: { models: found }, sections: found.flatMap(sectionsOf) };
}

async function driftOf(context: Context, environment: 'staging' | 'prod', model: string): Promise<EnvironmentDrift> {
  const runs = await whereDeployed(readRuns(context.cloud(environment).ledger, model), []);
  const checks = runs
    .filter(({ machine }) => machine === 'drift')
    .flatMap((run): Checked[] => {
      const parsed = DriftCheck.safeParse(run.drift);
      const { run: name, asOf, status, startedAt } = run;
      return parsed.success ? [{ run: name, asOf, status, startedAt, ...parsed.data }] : [];
    });
  const [newest = null] = checks;
  const before = addDays(context.now().toISOString().slice(0, 10), -OVERDUE_DAYS);
  const isOverdue = newest !== null && (newest.startedAt ?? '').slice(0, 10) < before;
  if (newest === null) return { environment, newest, isOverdue, picture: null };
  // Drawing takes half a second to load: who asks for anything else does not wait for it.
  const { driftPicture } = await import('./drift-picture.ts');
  const folder = join(context.home, 'pictures');
  const picture = join(folder, `drift-${model}-${environment}.svg`);
  await mkdir(folder, { recursive: true });
  await writeFile(picture, await driftPicture(`${model} in ${environment}`, checks.slice(0, SHOWN).toReversed()));
  return { environment, newest, isOverdue, picture };
}

function sectionsOf(found: {
  readonly model: string;
  readonly environments: readonly EnvironmentDrift[];
  readonly retraining: Run | null;
}): readonly Section[] {
  const { model, environments, retraining } = found;
  return [
    ...environments.flatMap((each) => environmentSections(model, each)),
    {
      lines: [
        retraining === null
          ? 'no retraining was started by drift'
          : `newest retraining by drift: ${retraining.run}, as of ${retraining.asOf ?? '-'}, ${retraining.status}`,
      ],
    },
  ];
}

function environmentSections(model: string, { environment, newest, isOverdue, picture }: EnvironmentDrift): Section[] {
  const title = `${model} in ${environment}`;
  if (newest === null)
    return [{ title, lines: ['  was never checked: nothing is known of its drift, which is not stable'] }];
  const overdue = isOverdue ? ', OVERDUE: nothing is known since' : '';
  const { inputs, concept, disagreement, parity, limits } = newest;
  const parts = { inputs, 'concept drift': concept, disagreement, parity };
  return [
    {
      title: `${title}: ${spoken(newest.status)}`,
      lines: [
        `  checked ${shortTime(newest.startedAt)} as of ${newest.asOf ?? '-'} (${newest.run})${overdue}; ` +
          `inputs of ${newest.day ?? 'no day'}: ${inputs.rows.current} rows against ${inputs.rows.reference} that it was made from`,
      ],
    },
    {
      columns: ['input', 'PSI', '', 'limit', 'counts as'],
      rows: inputs.measured.map(({ input, index, isStable }) => [
        input,
        index.toFixed(3),
        bar(index, limits.index),
        isStable ? String(limits.index) : '-',
        isStable ? (index > limits.index ? 'stable, DRIFTED' : 'stable') : 'information',
      ]),
      empty: 'no input was measured',
    },
    {
      columns: ['part', 'says', 'because'],
      rows: Object.entries(parts).map(([part, { status, reason }]) => [part, spoken(status), reason]),
    },
    ...(picture === null ? [] : [{ lines: [`picture: ${picture}`] }]),
  ];
}

/** What must not be read over is said loudly. */
function spoken(status: string): string {
  switch (status) {
    case 'insufficient':
      return 'INSUFFICIENT (nothing is known, which is not stable)';
    case 'drifted':
    case 'skewed':
    case 'differs':
      return status.toUpperCase();
    default:
      return status;
  }
}

/** Blocks up to the limit, and as many more as it is beyond: at most twice the limit is drawn. */
function bar(index: number, limit: number): string {
  const blocks = Math.round(10 * Math.min(index / limit, 2));
  const beyond = index / limit > 2 ? '+' : '';
  return `${'▏'.repeat(blocks === 0 ? 1 : 0)}${'█'.repeat(blocks)}${beyond}`;
}
