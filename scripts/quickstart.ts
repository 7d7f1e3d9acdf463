// `npm run quickstart`: the whole story on a laptop, through the stacks that deploy to AWS: a model from events to
// production, a worse candidate refused, rollbacks by hand and by an alarm that repair the predictions. `--ask` lets you decide as the approvers.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { stdin } from 'node:process';
import { createInterface } from 'node:readline/promises';
import { Listr, type ListrTask } from 'listr2';
import { addDays } from '#domain/data/partition.ts';
import { Answered } from '#cli/commands/endpoint/protocol.ts';
import { z } from 'zod';
import { homeIn, startLocalCloud, stopLocalCloud } from '#local/emulator/cloud.ts';
import { until } from '#local/emulator/processes.ts';
import { type CommandResult, type Driver, driverOf } from '#local/driver.ts';
import config from '../gatehouse.config.ts';
import { percent } from '#domain/text.ts';

const MODEL = 'flight-delay';
const SAMPLE = 0.1;
/** Staging and prod need the held-out days, the days that their features look back on, and those that are kept scored. */
const SERVING_HISTORY = '2001-01-01';
/** How much faster than the clock alarms see time: five minutes are over in ten seconds. */
const TIME_SCALE = 30;
const asksPerson = process.argv.includes('--ask');
const began = performance.now();

type Step = Parameters<ListrTask['task']>[1];
type Story = { title: string; run: (say: (text: string) => void) => Promise<string> };

let driver: Driver;
/** The newest offered release. */
const newest = { version: '', release: '' };

const story: readonly Story[] = [
  { title: 'Start the local cloud', run: startCloud },
  { title: 'Deploy dev, staging, prod and control', run: deploy },
  { title: 'Land real flights until 5 March 2001', run: (say) => land(say, '2001-03-06') },
  { title: 'Train three windows and compare with the baseline', run: (say) => retrain(say, '2001-03-06', 'offered') },
  { title: 'Carry the release to staging', run: (say) => arrive(say, 'staging') },
  { title: 'Promote it to production, with two approvals', run: promote },
  { title: 'Predictions in production', run: (say) => predict(say) },
  { title: 'Damage the labels of four weeks in dev', run: (say) => damage(say) },
  {
    title: 'Train on the damaged data: the candidates are refused',
    run: (say) => retrain(say, '2001-03-20', 'rejected'),
  },
  { title: 'Repair the data and land flights until 3 June', run: (say) => land(say, '2001-06-04') },
  { title: 'Train again and compare with production', run: (say) => retrain(say, '2001-06-04', 'offered') },
  { title: 'Carry the second release to staging, while consumers ask production', run: arriveWithTraffic },
  { title: 'Promote it to production, with two approvals, a shadow and a canary', run: promoteWatched },
  { title: 'Predictions of the second release', run: (say) => predict(say) },
  { title: 'Roll it back by hand', run: rollBack },
  { title: 'Ask production for one prediction', run: predictOne },
  { title: 'Let it fail requests: an alarm rolls it back', run: failAndRollBack },
  { title: 'Close its incident, with the report', run: closeIncident },
  { title: 'Check every invariant', run: check },
];

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(0)} s`;
}

async function startCloud(): Promise<string> {
  const home = homeIn(process.env);
  await stopLocalCloud(home, { saving: false });
  // What an earlier quickstart left in the cloud is gone; prepared flights are kept.
  for (const state of ['emulator', 'sagemaker', 'functions'])
    await rm(join(home, state), { recursive: true, force: true });
  const { account, region } = config.environments.control;
  const cloud = await startLocalCloud({ home, controlAccount: account, region, waitScale: 0.2, timeScale: TIME_SCALE });
  driver = driverOf(cloud, config, { governance: 'local/governance' });
  return `four AWS accounts on ${cloud.endpoint}`;
}

async function deploy(say: (text: string) => void): Promise<string> {
  const { data } = await gatehouse(say, ['deploy']);
  await driver.addPerson('maya', ['ml-engineer']);
  await driver.addPerson('lena', ['ml-lead']);
  await driver.addPerson('paul', ['platform']);
  const { stacks } = z.object({ stacks: z.array(z.unknown()) }).parse(data);
  return `${stacks.length} CDK stacks; people: maya (ML engineer), lena (ML lead), paul (platform)`;
}

async function land(say: (text: string) => void, day: string): Promise<string> {
  for (const environment of ['dev', 'staging', 'prod'] as const) {
    await driver.land({
      model: MODEL,
      environment,
      sample: SAMPLE,
      until: day,
      ...(environment === 'dev' ? {} : { from: SERVING_HISTORY }),
      onProgress: ({ done, total }) => say(`${environment}: ${bar(done / total)}`),
    });
  }
  return 'events when they happened, labels when they had arrived; each partition admitted by hash';
}

async function damage(say: (text: string) => void): Promise<string> {
  await driver.land({
    model: MODEL,
    environment: 'dev',
    sample: SAMPLE,
    until: '2001-03-20',
    damage: { kind: 'flipped-labels', first: '2001-01-22', last: '2001-02-20' },
    onProgress: ({ done, total }) => say(`dev: ${bar(done / total)}`),
  });
  return 'three labels in ten say the opposite; each corrected partition is admitted as version 2';
}

async function retrain(say: (text: string) => void, asOf: string, expected: string): Promise<string> {
  // A run that is rejected is refused as well: how it ended is compared with what was expected.
  const { data } = await gatehouse(say, ['run', 'start', MODEL, '--as-of', asOf], undefined, 1);
  const { run } = z.object({ run: z.string() }).parse(data);
  const shown = await gatehouse(say, ['run', 'show', MODEL, run]);
  const view = RunView.parse(shown.data);
  const last = view.records.at(-1);
  if (view.run.status !== expected) {
    throw new Error(`run ${run} ended as ${view.run.status}, expected ${expected}: ${JSON.stringify(last?.details)}`);
  }
  if (last?.code !== 'RELEASE_OFFERED') return z.array(z.string()).parse(last?.details['reasons']).join('\n');
  newest.version = String(last.details['version']);
  newest.release = String(last.release);
  const gain = Number(last.details['improvement']);
  return `${MODEL}@${newest.version} beats the champion by ${percent(gain)} in log loss on 14 held-out days`;
}

const RunView = z.object({
  run: z.object({ status: z.string() }),
  records: z.array(
    z.object({ code: z.string(), release: z.string().nullable(), details: z.record(z.string(), z.unknown()) }),
  ),
});

async function arrive(say: (text: string) => void, environment: 'staging' | 'prod'): Promise<string> {
  const isThere = async (): Promise<boolean> => {
    const status = await statusOf(environment);
    say(status.promotions.map(({ promotion, status: state }) => `${promotion}: ${state}`).join(', ') || 'waiting');
    return status.release === newest.release;
  };
  if (!(await until(isThere, 300_000, 500)))
    throw new Error(`${MODEL}@${newest.version} did not arrive in ${environment}`);
  return gatesOf(say, environment);
}

async function gatesOf(say: (text: string) => void, environment: string): Promise<string> {
  const why = Why.parse((await gatehouse(say, ['why', newest.release, '--to', environment])).data);
  return why.gates.map(({ gate, verdict, reasons }) => `${verdict} ${gate}: ${reasons.join('; ')}`).join('\n');
}

const Why = z.object({
  gates: z.array(z.object({ gate: z.string(), verdict: z.string(), reasons: z.array(z.string()) })),
});

/** Staging tests what it serves by itself, and prod hears what it attests. */
async function beTested(say: (text: string) => void): Promise<void> {
  let missing = '';
  const isTested = async (): Promise<boolean> => {
    const why = Why.parse((await gatehouse(say, ['why', newest.release, '--to', 'prod'])).data);
    const open = why.gates.filter(({ verdict }) => verdict === 'FAIL' || verdict === 'INCONCLUSIVE');
    missing = open.map(({ gate, reasons }) => `${gate}: ${reasons.join('; ')}`).join('\n');
    say(open.length === 0 ? 'staging has tested it' : `staging tests it: ${open.map(({ gate }) => gate).join(', ')}`);
    return open.length === 0;
  };
  if (!(await until(isTested, 300_000, 2_000))) throw new Error(`it is not ready for prod: ${missing}`);
}

async function promote(say: (text: string) => void): Promise<string> {
  await beTested(say);
  await gatehouse(say, ['promote', `${MODEL}@${newest.version}`, '--to', 'prod', '--no-wait'], 'maya');
  let promotion = '';
  const isAsked = async (): Promise<boolean> => {
    const waiting = (await statusOf('prod')).promotions.find(({ status: state }) => state === 'awaiting-approval');
    promotion = waiting?.promotion ?? '';
    say(waiting === undefined ? 'gates are evaluated in prod' : 'waiting for people');
    return waiting !== undefined;
  };
  if (!(await until(isAsked, 180_000, 500))) throw new Error('no approval was requested in prod');
  for (const person of ['lena', 'paul']) {
    if (asksPerson) {
      const found = await gatesOf(say, 'prod');
      if (!(await ask(`${found}\nApprove ${MODEL}@${newest.version} for prod as ${person}?`))) {
        await gatehouse(say, ['reject', promotion, '--comment', 'decided by hand'], person);
        throw new Error(`you rejected it as ${person}, and that ends it: nothing was promoted`);
      }
    }
    await gatehouse(say, ['approve', promotion, '--comment', 'the numbers hold'], person);
  }
  const gates = await arrive(say, 'prod');
  return `requested by maya, approved by lena and paul, each by a signed record\n${gates}`;
}

/** What consumers of the endpoint are answered while the second release is on its way. */
let traffic: Promise<CommandResult> | undefined;
let asked = 0;
const EXAMPLE = `models/${MODEL}/example-event.json`;

async function arriveWithTraffic(say: (text: string) => void): Promise<string> {
  const asking = ['--event', EXAMPLE, '--env', 'prod', '--rate', '4', '--seconds', '280'];
  asked = performance.now();
  traffic = driver.gatehouse(['local', 'traffic', MODEL, ...asking]);
  return arrive(say, 'staging');
}

/** The candidate answers stored requests, then a part of the live ones; whoever asks is answered whatever comes of it. */
async function promoteWatched(say: (text: string) => void): Promise<string> {
  // Whether a canary can begin is said by the requests of a whole minute.
  await until(async () => performance.now() - asked > 95_000, 100_000, 1_000);
  const promoted = await promote(say);
  const said = Traffic.parse((await traffic)?.data);
  const failed = Object.keys(said.answers).filter((answer) => !/ as (champion|candidate|control)/.test(answer));
  if (failed.length > 0) throw new Error(`consumers were not answered: ${failed.join('; ')}`);
  const answers = Object.entries(said.answers).map(([answer, count]) => `${count} by ${answer}`);
  return `${promoted}\n${said.requests} requests meanwhile: ${answers.join(', ')}`;
}

const Traffic = z.object({ requests: z.number(), answers: z.record(z.string(), z.number()) });

async function ask(question: string): Promise<boolean> {
  if (!stdin.isTTY) throw new Error('--ask needs a terminal');
  const reader = createInterface({ input: stdin, output: process.stderr });
  try {
    const answer = await reader.question(`\n${question} [y/N] `);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    reader.close();
  }
}

async function predict(say: (text: string) => void): Promise<string> {
  let rows = 0;
  const isDone = async (): Promise<boolean> => {
    const { release, predictions } = await statusOf('prod');
    say(`${predictions?.partitions ?? 0} partitions, ${predictions?.outdated ?? 0} of another release`);
    return (
      predictions !== undefined &&
      predictions.partitions >= 14 &&
      predictions.outdated === 0 &&
      !predictions.isReconciling &&
      release !== undefined
    );
  };
  if (!(await until(isDone, 180_000, 500))) throw new Error('predictions were not published');
  const shown = z
    .object({ partitions: z.array(z.object({ rows: z.number() })) })
    .parse((await gatehouse(say, ['prediction', 'show', MODEL, '--env', 'prod'])).data);
  for (const partition of shown.partitions) rows += partition.rows;
  const { version } = await statusOf('prod');
  return `${rows} predictions on ${shown.partitions.length} days, all of ${MODEL}@${version ?? ''}`;
}

async function rollBack(say: (text: string) => void): Promise<string> {
  await gatehouse(say, ['rollback', MODEL, '--env', 'prod', '--reason', 'pilots report nonsense']);
  const predictions = await predict(say);
  return `the pointer went back, ${newest.version} is quarantined, an incident is open\nrepaired: ${predictions}`;
}

/** A request by the endpoint, of the day that the newest aggregates are for; the first one starts the function. */
async function predictOne(say: (text: string) => void): Promise<string> {
  const args = ['endpoint', 'ask', MODEL, '--env', 'prod', '--event', EXAMPLE];
  let [said, day] = ['', ''];
  const isAnswered = async (): Promise<boolean> => {
    const { code, data } = await gatehouse(say, args, undefined, 1);
    if (code !== 0) return false;
    const answer = Answered.parse(data);
    said = `${String(answer.outputs[0]?.data[0])} by ${answer.model_name}@${answer.model_version}, ${String(answer.parameters['digest'])}`;
    day = addDays(String(answer.parameters['aggregates_until']), 1);
    return true;
  };
  if (!(await until(isAnswered, 60_000, 2_000))) throw new Error(`gatehouse ${args.join(' ')} was not answered`);
  // Its line of the request log is on its way to the lake.
  const replay = ['endpoint', 'replay', MODEL, '--env', 'prod', '--day', day];
  let computed = 0;
  const isComputed = async (): Promise<boolean> => {
    const { code, data } = await gatehouse(say, replay, undefined, 1);
    computed = z.object({ computedAgain: z.number() }).safeParse(data).data?.computedAgain ?? 0;
    return code === 0 && computed > 0;
  };
  if (!(await until(isComputed, 60_000, 1_000))) throw new Error(`gatehouse ${replay.join(' ')} found no answer`);
  return `${said}\ncomputed again from its receipt, and the same to the bit: gatehouse ${replay.join(' ')}`;
}

/** Injects a fault into what production serves, and asks on until an alarm has rolled it back. */
async function failAndRollBack(say: (text: string) => void): Promise<string> {
  const before = await statusOf('prod');
  await gatehouse(say, ['local', 'fault', MODEL, 'errors', '--env', 'prod']);
  const args = ['endpoint', 'ask', MODEL, '--env', 'prod', '--event', EXAMPLE];
  let failed = 0;
  const isRolledBack = async (): Promise<boolean> => {
    const { code } = await gatehouse(() => undefined, args, undefined, 1);
    failed += code === 0 ? 0 : 1;
    say(`${failed} requests failed`);
    return (await statusOf('prod')).release !== before.release;
  };
  if (!(await until(isRolledBack, 120_000, 100))) throw new Error('no alarm rolled the release back');
  const predictions = await predict(say);
  return `${failed} requests failed, the metrics proved it, and no person was needed\nrepaired: ${predictions}`;
}

/** Acknowledges the newest incident, says how its parts ended, writes its report, and closes it with that. */
async function closeIncident(say: (text: string) => void): Promise<string> {
  const { data } = await gatehouse(say, ['incident', 'list', MODEL, '--env', 'prod']);
  const [found] = Incidents.parse(data).incidents.filter(({ kind }) => kind === 'rollback');
  if (found === undefined) throw new Error('no incident of a rollback is open');
  const { incident, parts } = found;
  await gatehouse(say, ['incident', 'acknowledge', incident, '--comment', 'looking at what failed']);
  const endings = { predictions: 'recomputed', answers: 'accepted' } as const;
  for (const { part, resolution } of parts) {
    if (resolution !== null || !(part in endings)) continue;
    const as = endings[part as keyof typeof endings];
    await gatehouse(say, ['incident', 'settle', incident, '--part', part, '--as', as, '--reason', 'seen in status']);
  }
  const report = join(homeIn(process.env), 'postmortems', `${incident}.md`);
  await gatehouse(say, ['incident', 'show', incident, '--postmortem', '--out', report]);
  await gatehouse(say, ['incident', 'close', incident, '--root-cause', report, '--yes']);
  return `${incident} is closed; its report: ${report}`;
}

const Incidents = z.object({
  incidents: z.array(
    z.object({
      incident: z.string(),
      kind: z.string(),
      parts: z.array(z.object({ part: z.string(), resolution: z.string().nullable() })),
    }),
  ),
});

async function check(say: (text: string) => void): Promise<string> {
  const { data } = await gatehouse(say, ['fsck']);
  const { checks } = z.object({ checks: z.array(z.unknown()) }).parse(data);
  return `clean: ${checks.length} checks of chains, signatures, artifacts, evidence, approvals and predictions hold`;
}

const Status = z.object({
  environment: z.string(),
  version: z.string().optional(),
  release: z.string().optional(),
  promotions: z.array(z.object({ promotion: z.string(), status: z.string() })),
  predictions: z.object({ partitions: z.number(), outdated: z.number(), isReconciling: z.boolean() }).optional(),
});

async function statusOf(environment: string): Promise<z.infer<typeof Status>> {
  const { data } = await gatehouse(() => undefined, ['status', MODEL]);
  const { models } = z.object({ models: z.array(z.object({ environments: z.array(Status) })) }).parse(data);
  const found = models[0]?.environments.find((each) => each.environment === environment);
  if (found === undefined) throw new Error(`status says nothing of ${environment}`);
  return found;
}

async function gatehouse(
  say: (text: string) => void,
  args: readonly string[],
  person?: string,
  worst = 0,
): Promise<CommandResult> {
  const result = await driver.gatehouse(args, { onNote: say, ...(person === undefined ? {} : { person }) });
  if (result.code > worst)
    throw new Error(
      `gatehouse ${args.join(' ')} ended with ${result.code}: ${JSON.stringify(result.data)} ${result.notes.slice(-600)}`,
    );
  return result;
}

function bar(share: number): string {
  const full = Math.floor(10 * share);
  return `${'█'.repeat(full)}${'░'.repeat(10 - full)} ${10 * full} %`;
}

const tasks = new Listr(
  story.map(({ title, run }) => ({
    title,
    task: async (_context: unknown, step: Step) => {
      const start = performance.now();
      let said = '';
      const result = await run((text) => {
        // What has not changed is not said again: where there is no terminal, each saying is a line.
        if (text !== said) step.output = text.slice(0, 120);
        said = text;
      });
      step.title = `${title} · ${seconds(start)}\n${result.replaceAll(/^/gm, '  ')}`;
    },
  })),
  {
    concurrent: false,
    exitOnError: true,
    // A prompt needs lines that stay where they are.
    fallbackRendererCondition: asksPerson || !process.stdout.isTTY,
    fallbackRenderer: 'simple',
    rendererOptions: { collapseErrors: false },
  },
);

try {
  await tasks.run();
  process.stdout.write(`
Done in ${seconds(began)}. The local cloud goes on running; look around:
  npm run gatehouse -- history ${MODEL} --env prod     what was in production, when, and who promoted it
  npm run gatehouse -- why ${MODEL}@${newest.version} --to prod    every gate and approval of the release that was rolled back
  npm run gatehouse -- model new churn                 a model of your own, tried without any cloud
Stop it with: npm run gatehouse -- local down
`);
} catch (error) {
  process.stderr.write(
    `\nThe quickstart stopped: ${error instanceof Error ? error.message : String(error)}\nThe cloud is left as it is; its logs are in ${join(homeIn(process.env), 'logs')}.\n`,
  );
  process.exitCode = 3;
}
