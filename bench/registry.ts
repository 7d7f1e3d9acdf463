// What it costs to govern: each act of a release beside the same step in an MLflow tracking server, in one run, in turns.
import { benchCloud, MINISTACK } from './_cloud.ts';
import { startMlflow } from './_mlflow.ts';
import { gatehouseLife, mlflowLife, type Times } from './_release-record.ts';
import { figure, quantile, report } from './_report.ts';

const REPETITIONS = 200;
const WARM_UP = 20;
const ACTS: readonly (readonly [keyof Times, string, number | undefined])[] = [
  ['register', 'register a release', undefined],
  ['resolve', 'resolve the champion', 5],
  ['commit', 'commit a promotion', undefined],
  ['rollBack', 'switch the pointer back', 20],
  ['whole', 'whole release record', 70],
];

await using cloud = await benchCloud();
await using mlflow = await startMlflow();
const ours = await gatehouseLife(await cloud.stores('registry'));
const theirs = await mlflowLife(mlflow);
const times: { ours: Times; theirs: Times }[] = [];
for (let number = 1; number <= WARM_UP + REPETITIONS; number += 1) {
  // In turns, so that neither always follows the other's work.
  const first = number % 2 === 0 ? await ours(number) : undefined;
  const anchor = await theirs(number);
  const measured = { ours: first ?? (await ours(number)), theirs: anchor };
  if (number > WARM_UP) times.push(measured);
}
report(
  'registry',
  {
    title: 'A registry that governs, beside one that does not',
    about: `Milliseconds per act, ${REPETITIONS} repetitions in turns after ${WARM_UP} to warm up, one after the other, over one kept-alive connection each. Ours are the use-cases that the functions run, over DynamoDB and S3 of the local cloud: a commit is one conditional transaction that checks evidence, approvals, lock and quarantine and appends actor, time and reason to a hash chain. MLflow is its tracking server on SQLite with one worker, spoken to over REST: an alias and two tags for a commit, an alias for a switch; run, parameters, metrics, version, a tag per gate and approval, and the commit for the whole record.`,
    versions: { mlflow: mlflow.version, ministack: MINISTACK },
  },
  ACTS.flatMap(([act, what, atMost]) =>
    ([0.5, 0.95] as const).map((share) =>
      figure(
        `${what}, p${share * 100}`,
        'ms',
        quantile(
          times.map(({ ours }) => ours[act]),
          share,
        ),
        [
          'MLflow',
          quantile(
            times.map(({ theirs }) => theirs[act]),
            share,
          ),
        ],
        { ratioAtMost: 1, ...(atMost === undefined || share < 0.9 ? {} : { oursAtMost: atMost }) },
      ),
    ),
  ),
);
