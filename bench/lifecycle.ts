// A release's whole way through a local cloud, from "retrain" to "in production" and the batch run that follows, measured
// from execution history: which state takes how long, and in how much of that time a function or a training job worked.
import { MACHINES } from '#domain/environment/environment.ts';
import { engineVersion } from '#adapters/duckdb/database.ts';
import { findApprovalRequest } from '#read-model/requests.ts';
import { freshName, startExecution } from '#cli/executions.ts';
import type { StateRun } from '#cli/progress/states.ts';
import { detailsOf } from '#domain/audit/chain.ts';
import { Digest } from '#domain/canonical/digest.ts';
import type { Role } from '#domain/policy/role.ts';
import { until } from '#local/emulator/processes.ts';

import { readRecords } from '#read-model/chain.ts';
import { readPointer } from '#read-model/pointer.ts';
import { readFence, readPredictions } from '#read-model/predictions.ts';
import { readPromotions } from '#read-model/promotions.ts';
import { type Execution, lifecycleCloud, type LoggedTask, type SignedIn, type Spine } from './_lifecycle.ts';
import { type Figure, figure, report } from './_report.ts';

const MODEL = 'flight-delay';
const SAMPLE = 0.1;
/** As of when the two releases are trained; between them a quarter of flights passes. */
const [FIRST, SECOND] = ['2001-03-06', '2001-06-04'] as const;
const PEOPLE = { maya: ['ml-engineer'], lena: ['ml-lead'], paul: ['platform'] } as const satisfies Record<
  string,
  Role[]
>;
const SPINE = ['dev', 'staging', 'prod'] as const;
/** The functions that machines call. */
const FUNCTIONS = 'training features score registration validation release gates pointer prediction-store'.split(' ');
const DEADLINE_MS = 600_000;
const SLOWEST = 12;
/** The emulator does one thing at a time: who asks without a pause delays what he waits for. */
const LOOK_MS = 250;
const AT_WORK = 'its functions and training jobs at work, by their logs';

const began = performance.now();
const note = (text: string): void =>
  console.error(`  ${((performance.now() - began) / 1000).toFixed(0).padStart(4)} s  ${text}`);
await using driver = await lifecycleCloud();
const [dev, staging, prod, control] = [
  driver.cloud('dev'),
  driver.cloud('staging'),
  driver.cloud('prod'),
  driver.cloud('control'),
];
await driver.typed('deploy');
for (const [name, roles] of Object.entries(PEOPLE)) await driver.driver.addPerson(name, roles);
const maya = await driver.signedIn('maya');
const deciders = [await driver.signedIn('lena'), await driver.signedIn('paul')];
note('deployed, and everybody has signed in');

const first = await lifeOf(FIRST, maya, deciders);
note('states of the first release: begin, duration, at work');
tellStates(first);
const second = await lifeOf(SECOND, maya, deciders);
note('states of the second release: begin, duration, at work');
tellStates(second);
const [firstFigure, ...states] = [totalFigure('first release: ', first, {}), ...slowestFigures(second)];
report(
  'lifecycle',
  {
    title: 'From "retrain" to "in production"',
    about:
      `A release of \`${MODEL}\` on one tenth of the flights, through all four environments of a fresh local cloud; times
are differences in execution history. It begins when the retraining is accepted, and ends when the pointer of prod names the
release; approvals are given at once, by people who have signed in. The first release compares with a constant and starts
functions from nothing; the second is trained three months of flights later. An anchor is the time in which at least one of
the functions that the machine called, or a training job, worked by its own log: what is above it is the emulator's
transitions, function starts, and our own polling and announcements.`.replaceAll('\n', ' '),
    versions: { duckdb: engineVersion },
  },
  [totalFigure('second release: ', second, { oursAtMost: 90 }), ...machineFigures(second), ...states, firstFigure],
);

/** What happened in a release's life: executions, and what functions and training jobs logged, by environment. */
interface Life {
  readonly accepted: number;
  readonly inProduction: number;
  readonly executions: readonly Execution[];
  readonly work: Readonly<Record<Spine, readonly LoggedTask[]>>;
}

async function lifeOf(asOf: string, asking: SignedIn, deciding: readonly SignedIn[]): Promise<Life> {
  for (const environment of SPINE) {
    await driver.driver.land({ model: MODEL, environment, sample: SAMPLE, until: asOf });
    note(`${environment} has admitted the flights until ${asOf}`);
  }
  await settled();
  const run = freshName(MODEL, asOf, 'bench');
  const since = Date.now();
  await startExecution(dev, 'retraining', run, { model: MODEL, asOf, trigger: 'person:bench', run });
  const accepted = Date.now();
  const after = (): string => `after ${((Date.now() - accepted) / 1000).toFixed(1)} s`;
  const { release, version } = await eventually('an offer', () => offerOf(run));
  note(`${version} is offered ${after()}`);
  await eventually('staging', () => servedSince('staging', release));
  note(`staging serves it ${after()}`);
  await asking.ask({ model: MODEL, release, version, environment: 'prod' });
  const { promotion } = await eventually('prod to ask people', async () =>
    (await readPromotions(prod.ledger, MODEL)).find(
      (each) => each.release === release && each.status === 'awaiting-approval',
    ),
  );
  await eventually('control to ask people', () => findApprovalRequest(control.ledger, MODEL, promotion));
  note(`people are asked ${after()}`);
  for (const person of deciding) await person.decide({ model: MODEL, promotion, decision: 'approve' });
  const inProduction = await eventually('prod', () => servedSince('prod', release));
  note(`prod serves it ${after()}`);
  await settled();
  note(`everything is scored by it ${after()}`);
  const executions = await Promise.all(
    SPINE.flatMap((environment) =>
      MACHINES[environment].map((machine) => driver.executions(environment, machine, since)),
    ),
  );
  const [inDev, inStaging, inProd, trained] = await Promise.all([
    ...SPINE.map((environment) => driver.logged(environment, FUNCTIONS, since)),
    driver.trained(since),
  ]);
  return {
    accepted,
    inProduction,
    executions: executions.flat(),
    work: { dev: [...(inDev ?? []), ...(trained ?? [])], staging: inStaging ?? [], prod: inProd ?? [] },
  };
}

async function offerOf(run: string): Promise<{ readonly release: Digest; readonly version: string } | undefined> {
  const records = (await readRecords(dev.ledger, MODEL)).map(({ record }) => record);
  const offer = records.find(({ code, details }) => code === 'RELEASE_OFFERED' && details['run'] === run);
  if (offer !== undefined)
    return { release: Digest.parse(offer.release), version: detailsOf(offer, 'RELEASE_OFFERED').version };
  const ended = records.find(
    ({ code, details }) =>
      ['CANDIDATES_REJECTED', 'CANDIDATES_HELD', 'RUN_FAILED'].includes(code) && details['run'] === run,
  );
  if (ended !== undefined) throw new Error(`${run} offered nothing: ${JSON.stringify(ended.details)}`);
  return undefined;
}

async function servedSince(environment: 'staging' | 'prod', release: Digest): Promise<number | undefined> {
  const pointer = await readPointer((environment === 'prod' ? prod : staging).ledger, MODEL);
  return pointer?.current === release ? Date.parse(pointer.at) : undefined;
}

/** Waits until no execution is under way and everything that is served is scored by what is in production. */
async function settled(): Promise<void> {
  await eventually('everything to settle', async () => {
    for (const environment of ['staging', 'prod'] as const) {
      const { ledger } = driver.cloud(environment);
      const [pointer, fence, predictions] = await Promise.all([
        readPointer(ledger, MODEL),
        readFence(ledger, MODEL),
        readPredictions(ledger, MODEL),
      ]);
      const isScored =
        pointer === undefined ||
        (predictions.length > 0 && predictions.every(({ release }) => release === pointer.current));
      if (!isScored || (fence?.running ?? null) !== null) return undefined;
      if (await driver.isBusy(environment)) return undefined;
    }
    return (await driver.isBusy('dev')) ? undefined : true;
  });
}

async function eventually<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  let found: T | undefined;
  if (!(await until(async () => (found = await look()) !== undefined, DEADLINE_MS, LOOK_MS)) || found === undefined)
    throw new Error(`waited in vain for ${what}`);
  return found;
}

type Span = readonly [from: number, to: number];

function spanOf({ startedAt, milliseconds }: Pick<StateRun, 'startedAt' | 'milliseconds'>): Span {
  const from = Date.parse(startedAt);
  return [from, from + milliseconds];
}

function executionSpan({ states }: Execution): Span {
  const spans = states.map(spanOf);
  return [Math.min(...spans.map(([from]) => from)), Math.max(...spans.map(([, to]) => to))];
}

/** Milliseconds within a span in which at least one piece of work was done. */
function atWork(work: readonly LoggedTask[], [from, to]: Span): number {
  let done = 0;
  let reached = from;
  for (const { at, milliseconds } of work.toSorted((a, b) => a.at - a.milliseconds - (b.at - b.milliseconds))) {
    const start = Math.max(at - milliseconds, reached);
    const end = Math.min(at, to);
    if (end <= start) continue;
    done += end - start;
    reached = end;
  }
  return done;
}

function seconds(what: string, [from, to]: Span, work: readonly LoggedTask[], target = {}): Figure {
  return figure(what, 's', (to - from) / 1000, [AT_WORK, atWork(work, [from, to]) / 1000], target);
}

function totalFigure(prefix: string, life: Life, target: { readonly oursAtMost?: number }): Figure {
  const all = SPINE.flatMap((environment) => life.work[environment]);
  return seconds(`${prefix}"retrain" to "in production"`, [life.accepted, life.inProduction], all, target);
}

function machineFigures(life: Life): readonly Figure[] {
  return life.executions.map((execution) =>
    seconds(
      `${execution.machine} in ${execution.environment}`,
      executionSpan(execution),
      life.work[execution.environment],
    ),
  );
}

/** The states that take longest, of the whole life; what only waits for another machine is not counted. */
function slowestFigures(life: Life): readonly Figure[] {
  return statesIn(life)
    .toSorted((a, b) => b.state.milliseconds - a.state.milliseconds)
    .slice(0, SLOWEST)
    .map(({ environment, machine, state }) =>
      seconds(`${state.name} (${machine}, ${environment})`, spanOf(state), life.work[environment]),
    );
}

function statesIn({ executions }: Pick<Life, 'executions'>) {
  return executions.flatMap(({ environment, machine, progress }) =>
    progress.steps
      .filter((step) => step.state !== 'Validate candidates')
      .map((step) => ({ environment, machine, state: { ...step, name: step.state } })),
  );
}

/** Every state of a life in the order of time, for whoever looks for waste. */
function tellStates(life: Life): void {
  for (const { environment, machine, state } of statesIn(life).toSorted(
    (a, b) => spanOf(a.state)[0] - spanOf(b.state)[0],
  )) {
    const [from, to] = spanOf(state);
    const shown = [from - life.accepted, to - from, atWork(life.work[environment], [from, to])].map((time) =>
      (time / 1000).toFixed(2).padStart(7),
    );
    note(`${shown.join(' ')}  ${environment} ${machine}: ${state.name} ${state.total ?? ''}`);
  }
}
