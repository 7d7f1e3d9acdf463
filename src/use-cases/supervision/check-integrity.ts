import { z } from 'zod';
import { truncated } from '#domain/audit/truncated.ts';
import { GatehouseError } from '#domain/error.ts';
import { ABSENT, equals } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { DeployedModels } from '#domain/model/deployed.ts';
import type { Finding } from '#domain/supervision/finding.ts';
import { dueInHour, hourOf, type RotationCursor, rotationFrom } from '#domain/supervision/rotation.ts';
import type { StoredBytes } from '#ports/stored-bytes.ts';
import { findRotation, readFindings } from '#read-model/integrity.ts';
import { readOperations } from '#read-model/policy.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { recordFaults } from '#use-cases/audit/record-faults.ts';
import { writeUnaudited } from '#use-cases/audit/write-unaudited.ts';
import { each, type Fault, throwFaults } from '#use-cases/each.ts';
import { contract, type Task } from '#use-cases/task.ts';
import { inspectStored, type Looked } from './inspect-stored.ts';
import { storedUnits, type StoredUnit } from './stored-units.ts';

export interface CheckingIntegrity extends Recording {
  readonly stored: StoredBytes;
  readonly deployed: DeployedModels;
  readonly has: { readonly releases: boolean; readonly catalogue: boolean };
  /** Whether there is time for another unit. */
  readonly hasTime: () => boolean;
}

export const CheckIntegrity = contract({
  input: z.object({}),
  output: z.object({ objects: z.int(), findings: z.array(z.string()), isDone: z.boolean() }),
});

/**
 * Hashes again what the ledger refers to: each unit once in a rotation, and those with an open finding each time. What there is no time for
 * is done next time. @throws GatehouseError `ITEMS_FAILED` when the others are done
 */
export function checkIntegrity(deps: CheckingIntegrity): Task {
  return CheckIntegrity.task(async () => {
    const faults: Fault[] = [];
    const lagging: Fault[] = [];
    const done = { objects: 0, findings: [] as string[], isDone: true };
    await each(
      faults,
      // Another one is the first each hour, so that none waits for the others for ever.
      turned(deps.deployed.models, hourOf(deps.clock.now())),
      ({ definition: { name: model } }) => ({ item: `stored objects of ${model}`, model }),
      ({ definition: { name } }) => rotate(deps, name, done, faults, lagging),
    );
    await recordFaults(deps, 'integrity', [...faults, ...lagging]);
    throwFaults(faults, done);
    return done;
  });
}

async function rotate(
  deps: CheckingIntegrity,
  model: string,
  done: { objects: number; findings: string[]; isDone: boolean },
  faults: Fault[],
  lagging: Fault[],
): Promise<void> {
  const { ledger, clock } = deps;
  const [units, { rehashDays }, before, known] = await Promise.all([
    storedUnits(ledger, model, deps.has),
    readOperations(ledger, deps.deployed, model),
    findRotation(ledger, model),
    readFindings(ledger, model),
  ]);
  const findings = new Map(known);
  const inspectAll = async (unit: StoredUnit): Promise<void> => {
    const seen = new Set<string>();
    for await (const looked of inspectStored(deps, unit)) {
      seen.add(looked.object);
      done.objects += 1;
      const kept = await keepFinding(deps, unit, looked, findings.get(looked.object));
      if (kept !== undefined) findings.set(looked.object, kept);
      if (looked.kind !== null) done.findings.push(`${looked.object}: ${looked.found}`);
    }
    // A manifest that is not whole names nothing: of what it named nobody knows.
    if ([...seen].some((object) => (findings.get(object)?.kind ?? null) !== null)) return;
    for (const finding of findings.values())
      if (finding.unit === unit.name && finding.kind !== null && !seen.has(finding.object)) await leave(deps, finding);
  };
  // What cannot be looked at keeps nothing else from being looked at.
  const inspect = (unit: StoredUnit): Promise<void> =>
    each(faults, [unit], ({ name }) => ({ item: `stored ${name}`, model }), inspectAll);
  const again = new Set([...known.values()].filter(({ kind }) => kind !== null).map(({ unit }) => unit));
  for (const finding of known.values())
    if (finding.kind !== null && !units.some(({ name }) => name === finding.unit)) await leave(deps, finding);
  let cursor = rotationFrom(before, rehashDays * 24, clock.now());
  const last = hourOf(clock.now());
  const keep = async (next: RotationCursor): Promise<void> => {
    cursor = next;
    await keepRotation(deps, model, next);
  };
  while (cursor.hour < last) {
    for (const unit of dueInHour(units, cursor.hour + 1, cursor)) {
      if (!deps.hasTime()) {
        done.isDone = false;
        await keep(cursor);
        if (last - cursor.hour > LAGS_HOURS) {
          const found = `${model}: stored objects are ${last - cursor.hour} hours behind their rotation`;
          lagging.push({
            item: `rotation of ${model}`,
            model,
            error: new GatehouseError('ROTATION_LAGS', found, { model }),
          });
        }
        return;
      }
      if (!again.has(unit.name)) await inspect(unit);
      cursor = { ...cursor, after: unit.name };
    }
    cursor = { ...cursor, hour: cursor.hour + 1, after: null };
  }
  await keep(cursor);
  for (const unit of units.filter(({ name }) => again.has(name))) {
    if (deps.hasTime()) await inspect(unit);
    else done.isDone = false;
  }
}

/** The same items, beginning with another one each turn. */
function turned<T>(items: readonly T[], turn: number): readonly T[] {
  const first = items.length === 0 ? 0 : turn % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}

/** Hours that a rotation may be behind: what is written down is hashed within the days of the policy, and two more. */
const LAGS_HOURS = 48;

/** Whoever else makes a round at the same time looks at the same: the later one stands. */
async function keepRotation(
  { ledger, clock }: CheckingIntegrity,
  model: string,
  cursor: RotationCursor,
): Promise<void> {
  const item = { ...keys.cursor('integrity', model), ...cursor };
  await writeUnaudited(
    ledger,
    [{ kind: 'put', item }],
    operationName('rotation', JSON.stringify(item), clock.now().toISOString()),
  );
}

/** A finding of what nothing needs any more. */
async function leave(deps: CheckingIntegrity, finding: Finding): Promise<void> {
  await settle(deps, finding, { ...finding, kind: null, found: 'nothing refers to it any more' });
}

async function keepFinding(
  deps: CheckingIntegrity,
  { name: unit, model, ...of }: StoredUnit,
  { object, kind, found, affects }: Looked,
  known: Finding | undefined,
): Promise<Finding | undefined> {
  if (kind === (known?.kind ?? null)) return known;
  const since = deps.clock.now().toISOString();
  const release = of.kind === 'release' ? of.release : null;
  const next: Finding = { model, unit, object, kind, found, affects: [...affects], release, since };
  if (kind === null && known !== undefined) return settle(deps, known, { ...next, found: 'it is whole again' });
  await recordChange(deps, {
    model,
    operation: operationName('integrity', object, kind ?? '', since),
    writes: [writeOf(next, known)],
    event: {
      code: 'INTEGRITY_FAILED',
      actor: 'pipeline:integrity',
      release,
      details: {
        object: truncated([object], 1, 400).join(''),
        finding: kind ?? 'differs',
        found: truncated([found], 1, 600).join(''),
        affects: truncated(affects, 12, 1200),
      },
    },
  });
  return next;
}

async function settle(deps: CheckingIntegrity, known: Finding, next: Finding): Promise<Finding> {
  const { model, object, release } = known;
  await recordChange(deps, {
    model,
    operation: operationName('integrity-restored', object, known.since),
    writes: [writeOf(next, known)],
    event: {
      code: 'INTEGRITY_RESTORED',
      actor: 'pipeline:integrity',
      release,
      details: { object: truncated([object], 1, 400).join(''), since: known.since, found: next.found },
    },
  });
  return next;
}

function writeOf(next: Finding, known: Finding | undefined) {
  const item = { ...keys.cursor(`integrity-${next.model}`, next.object), ...next };
  const condition = known === undefined ? ABSENT : equals({ kind: known.kind, since: known.since });
  return { kind: 'put', item, condition } as const;
}
