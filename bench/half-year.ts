// The governed half-year: 22 weekly cycles of the reference model through the product's own features, training, scoring and
// gates, with and without faults, as the pipeline decides them and as common habits do. It writes docs/decision-quality.md.
// What it has made it keeps by digest below --folder: stopped and run again, it goes on where it was.
//   npm run bench -- half-year [--share 1] [--faults 5:kilometres,7:constant-model] [--cost 5:1] [--folder DIR]
import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compilePolicyOf } from '#cli/commands/model/policy.ts';
import { engineVersion } from '#adapters/duckdb/database.ts';
import { addDays, daysBetween } from '#domain/data/partition.ts';
import { compileModel } from '#model/compile.ts';
import { replay } from '../models/flight-delay/replay.ts';
import { figuresMarkdown, report } from './_report.ts';
import { documentOf, type Findings } from './half-year/document.ts';
import { DEFAULT_SCHEDULE, parseSchedule, type Schedule } from './half-year/faults.ts';
import { figuresOf } from './half-year/figures.ts';
import { hindsight } from './half-year/hindsight.ts';
import { labelFiles, openLake } from './half-year/lake.ts';
import { powerPicture, regretPicture, weeksPicture } from './half-year/pictures.ts';
import { atOnce, progress, stopwatch } from './half-year/chunks.ts';
import { diaryOf, fatesOf, type Hind, play, type Played } from './half-year/simulate.ts';
import { truthOf } from './half-year/rows.ts';
import { FIRST_DAY, firstRelease, type WeeklyRun } from './half-year/runs.ts';
import { trySkew } from './half-year/skew.ts';
import { movedInputs } from './half-year/stability.ts';
import { OURS, STRATEGIES } from './half-year/strategies.ts';
import { pairsOf, tryGain, tryIdentical } from './half-year/studies.ts';
import { suitesOf } from './half-year/suites.ts';
import { pairsOfTwins, trainTwins } from './half-year/aa-pairs.ts';
import { cyclesFrom, worldOf } from './half-year/world.ts';

const HOME = join(import.meta.dirname, '../models/flight-delay');
const DOCS = join(import.meta.dirname, '../docs');
const LAST_DAY = '2001-06-30';
/** The first week, in which the first release serves; from the second on a candidate comes each Monday. */
const FIRST_MONDAY = '2001-01-29';
const WEEKS = 22;

const { values } = parseArgs({
  // `npm run bench` hands over the bench's own name first.
  allowPositionals: true,
  options: {
    share: { type: 'string', default: '1' },
    faults: { type: 'string', default: DEFAULT_SCHEDULE },
    cost: { type: 'string', default: '5:1' },
    folder: { type: 'string', default: join(import.meta.dirname, '../.gatehouse/bench/half-year') },
  },
});
const [share, schedule] = [Number(values.share), parseSchedule(values.faults, WEEKS)];
const [miss = Number.NaN, falseAlarm = Number.NaN] = values.cost.split(':').map(Number);
if (!(miss > 0 && falseAlarm > 0))
  throw new RangeError(`cost '${values.cost}', allowed: MISS:FALSE-ALARM, both above 0`);
const watch = stopwatch(join(values.folder, `spent-${values.share}.json`));

const definition = await compileModel(HOME);
const policy = await compilePolicyOf({ governance: 'governance' }, HOME);
const { probation } = policy.transitions.prod;
if (probation === undefined)
  throw new Error('the policy knows no probation for prod: nothing is judged while it is served');
const sql = {
  daily: await readFile(join(HOME, definition.features.daily.path), 'utf8'),
  features: await readFile(join(HOME, definition.features.features.path), 'utf8'),
};
const lake = await openLake({ definition, sql }, replay, values.folder, share);
const cycles = cyclesFrom(FIRST_MONDAY, WEEKS, LAST_DAY);
const liveDays = cycles.flatMap(({ days }) => days);
const features = await lake.features(lake.clean, daysBetween(FIRST_DAY, LAST_DAY));
const truth = await truthOf(
  definition,
  features.filter(({ day }) => liveDays.includes(day)),
  labelFiles(lake.clean, { first: FIRST_DAY, last: addDays(LAST_DAY, definition.labels.matureAfterDays) }),
  progress('what came true', liveDays.length),
);
const past = hindsight(lake, truth, { miss, falseAlarm });
const live = { policy, probation, truth, past };

const first = await firstRelease(lake, addDays(FIRST_MONDAY, 7));
const suites = suitesOf(HOME, values.folder, definition);
// Together, and not a week at a time: each start takes longer than what it looks at.
await suites(lake.clean.partitions);
const worldWith = (faults: Schedule) => worldOf({ ...live, lake, cycles, first, schedule: faults, suites });
const worlds = { clean: worldWith(new Map()), faulty: worldWith(schedule) };
const runsOf = async (name: keyof typeof worlds): Promise<WeeklyRun[]> => {
  // Two worlds train some of the same models: one world at a time, several of its weeks at once.
  await atOnce(`weekly runs, ${name}`, cycles, (cycle) => worlds[name].runOf(cycle));
  const found = await Promise.all(cycles.map((cycle) => worlds[name].runOf(cycle)));
  return found.filter((run) => run !== undefined);
};
const runs = { clean: await runsOf('clean'), faulty: await runsOf('faulty') };
const hind: Hind = {
  past,
  truth,
  poolOf: ({ week }) => [first, ...runs.clean.filter((run) => run.week <= week).map(({ candidate }) => candidate)],
};
const pool = hind.poolOf({ week: WEEKS, asOf: LAST_DAY, days: [] });
const daysAfter = (week: number): string[] => liveDays.filter((day) => day >= (cycles[week - 1]?.asOf ?? ''));
await past.know(pool.map((release) => ({ release, days: daysAfter(release.week) })));

const played = {
  clean: await play('without faults', STRATEGIES, policy.comparison, worlds.clean, hind),
  faulty: await play('with faults', STRATEGIES, policy.comparison, worlds.faulty, hind),
};
const skew = await trySkew(lake, live, runs.clean, progress('skew', 2 * (runs.clean.length - 1)));
const moved = {
  clean: [] as Findings['moved']['clean'][number][],
  faulty: [] as Findings['moved']['faulty'][number][],
};
for (const name of ['clean', 'faulty'] as const) {
  for (const [index, run] of runs[name].entries()) {
    const before = runs[name][index - 1];
    if (before === undefined) continue;
    const found = await movedInputs(lake, run, before);
    if (name === 'clean') moved.clean.push(found);
    else if (run.fault !== undefined) moved.faulty.push({ ...found, kind: run.fault });
  }
}

/** Ours is the last one that is played. */
function lastOf(each: readonly Played[]): Played {
  const last = each.at(-1);
  if (last === undefined) throw new Error('nothing was played');
  return last;
}

const pairs = pairsOf(pool, daysAfter, past.losses);
const twins = await trainTwins(lake, cycles);
await past.know(twins.flat().map((release) => ({ release, days: daysAfter(release.week) })));
const twinPairs = pairsOfTwins(twins, daysAfter, past.losses);
const { minimumImprovement } = policy.comparison;
const studied = progress('trials of the comparison', 1);
const HOLDOUTS = [7, 14, 28];
const findings: Findings = {
  share,
  schedule: values.faults,
  cost: { miss, falseAlarm },
  flights: lake.clean.partitions.reduce(
    (sum, { kind, day }) => sum + (kind === 'events' ? (lake.clean.rows.get(`${kind} ${day}`) ?? 0) : 0),
    0,
  ),
  served: [...truth.values()].reduce((sum, { late }) => sum + late.length, 0),
  worlds: played,
  fates: [OURS, 'always the newest', 'better on the holdout', 'row-level test'].flatMap((name) =>
    played.faulty
      .filter(({ strategy }) => strategy.name === name)
      .map((each) => ({ strategy: name, fates: fatesOf(each, schedule, cycles, hind) })),
  ),
  diaries: { clean: diaryOf(lastOf(played.clean), cycles, hind), faulty: diaryOf(lastOf(played.faulty), cycles, hind) },
  skew,
  moved,
  identical: tryIdentical(pairs, policy.comparison, 14),
  aa: (['twins', 'exchanged', 'as they are'] as const).flatMap((made) =>
    [0.005, 0.01].flatMap((asked) =>
      HOLDOUTS.map((days) =>
        tryGain(made === 'twins' ? twinPairs : pairs, policy.comparison, {
          made,
          days,
          gain: 0,
          minimumImprovement: asked,
        }),
      ),
    ),
  ),
  power: (['twins', 'exchanged'] as const).flatMap((made) =>
    HOLDOUTS.flatMap((days) =>
      [0.005, 0.01, 0.015, 0.02, 0.03].map((gain) =>
        tryGain(made === 'twins' ? twinPairs : pairs, policy.comparison, { made, days, gain, minimumImprovement }),
      ),
    ),
  ),
};
studied();

const minutes = watch.end() / 60;
const figures = figuresOf(findings, minutes);
const about = `Twenty-two weekly retrainings, ${values.share} of all flights, with and without eight seeded faults; regret is against the best release of each week in hindsight. [Decision quality](decision-quality.md) shows all of it.`;
report(
  'half-year',
  { title: 'The governed half-year', about, versions: { engine: engineVersion, scorer: 'onnxruntime-node 1.30.0' } },
  figures,
);
const options = values.share === '1' ? '' : ` --share ${values.share}`;
const shown = {
  regret: await regretPicture(
    played.faulty,
    [...schedule].map(([week, kind]) => ({ week, kind })),
  ),
  weeks: await weeksPicture(lastOf(played.clean)),
  power: await powerPicture(findings.power.filter(({ made }) => made === 'twins')),
};
mkdirSync(join(DOCS, 'decision-quality'), { recursive: true });
for (const [name, svg] of Object.entries(shown)) writeFileSync(join(DOCS, 'decision-quality', `${name}.svg`), svg);
writeFileSync(
  join(DOCS, 'decision-quality.md'),
  documentOf(findings, `npm run bench -- half-year${options}`, figuresMarkdown(figures)),
);
for (const [name, each] of Object.entries(played)) {
  console.log(`\n${name}`);
  console.table(
    Object.fromEntries(
      each.map(({ strategy, outcome: { weeks: _weeks, daysToRecover, ...outcome } }) => [
        strategy.name,
        { ...outcome, daysToRecover: daysToRecover.join(' ') },
      ]),
    ),
  );
}
