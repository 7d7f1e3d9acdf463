import { type Environment, ENVIRONMENTS } from '#domain/environment/environment.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { listFaults } from '#read-model/faults.ts';
import { readFindings } from '#read-model/integrity.ts';
import { findRound, readExpectedRuns } from '#read-model/schedules.ts';
import type { Context } from '../../context.ts';
import { type Section, shortTime } from '../../report.ts';
import { whereDeployed } from './collect.ts';

/** Something that is wrong and lasts: found by the supervisor, or by the check of stored objects. */
export interface Attention {
  readonly environment: Environment;
  readonly kind: 'supervisor' | 'schedule' | 'fault' | 'integrity';
  readonly what: string;
  readonly found: string;
  readonly since: string | null;
}

/** Three rounds of the supervisor. */
const SILENT_MS = 15 * 60_000;

/** What needs attention in all environments that are deployed, of some models and of the environments themselves. */
export async function collectAttention(context: Context, models: readonly string[]): Promise<readonly Attention[]> {
  const found = ENVIRONMENTS.map((environment) =>
    whereDeployed(attentionIn(context.cloud(environment).ledger, environment, models, context.now()), []),
  );
  return (await Promise.all(found)).flat();
}

async function attentionIn(
  ledger: ReadableLedger,
  environment: Environment,
  models: readonly string[],
  now: Date,
): Promise<readonly Attention[]> {
  const [round, faults, ...perOwner] = await Promise.all([
    findRound(ledger, environment),
    listFaults(ledger, 'supervisor'),
    ...[...models, environment].map((of) => readExpectedRuns(ledger, of)),
  ]);
  const findings = await Promise.all(models.map((model) => readFindings(ledger, model)));
  const isSilent = round === undefined || now.getTime() - Date.parse(round.at) > SILENT_MS;
  return [
    ...(isSilent
      ? [
          {
            environment,
            kind: 'supervisor' as const,
            what: 'supervisor',
            found: round === undefined ? 'never ran: nobody looks' : 'does not run: nothing below is newer than that',
            since: round?.at ?? null,
          },
        ]
      : []),
    ...perOwner.flatMap(({ expected }) =>
      [...expected].flatMap(([what, { missed, missedSince }]) =>
        missedSince === null
          ? []
          : [{ environment, kind: 'schedule' as const, what, found: `${missed} runs missed`, since: missedSince }],
      ),
    ),
    ...[...faults].flatMap(([what, { read }]) => {
      const { code, since } = read();
      return code === null ? [] : [{ environment, kind: 'fault' as const, what, found: code, since }];
    }),
    ...findings.flatMap((each) =>
      [...each.values()].flatMap(({ object, kind, affects, since }) =>
        kind === null
          ? []
          : [
              {
                environment,
                kind: 'integrity' as const,
                what: object,
                found: `${kind}; affects ${affects.join(', ')}`,
                since,
              },
            ],
      ),
    ),
  ];
}

/** What needs attention as a table; nothing where all is well. */
export function attentionSections(attention: readonly Attention[]): readonly Section[] {
  if (attention.length === 0) return [];
  return [
    {
      title: 'needs attention',
      columns: ['environment', 'what', 'found', 'since'],
      rows: attention.map(({ environment, what, found, since }) => [environment, what, found, shortTime(since)]),
    },
  ];
}
