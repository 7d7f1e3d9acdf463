// What each command does: it calls the real use-cases of one environment, under the fault that it carries.
import { GatehouseError } from '#domain/error.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { PolicyVote } from '#domain/control/policy-vote.ts';
import { policyDigest } from '#domain/model/deployed.ts';
import { type Item, textOf } from '#domain/ledger/item.ts';
import { publishModels } from '#use-cases/announcements/publish-records.ts';
import { recordChange } from '#use-cases/audit/record-change.ts';
import { recordExecutionEnd } from '#use-cases/recorder/record-execution-end.ts';
import { decide } from '#use-cases/control/decide.ts';
import { decidePolicy } from '#use-cases/control/decide-policy.ts';
import { receiveRequest } from '#use-cases/control/receive-request.ts';
import { requestPromotion } from '#use-cases/control/request-promotion.ts';
import { confirmRelease } from '#use-cases/confirmation/confirm-release.ts';
import { followPeer } from '#use-cases/intake/follow-peer.ts';
import { readPeer, type RecordHandler } from '#use-cases/intake/read-peer.ts';
import { reconcileEnvironment } from '#use-cases/reconciler/reconcile-environment.ts';
import { registerCandidates } from '#use-cases/retraining/register-candidates.ts';
import { offerRelease } from '#use-cases/validation/conclude-validation.ts';
import type { Command, Name, Verb } from './_commands.ts';
import { BASELINE, DEPLOYED, MEASURES, MODEL, TRAINED } from './_fixtures.ts';
import { isDone, step } from './_machines.ts';
import { type Environment, PEERS, type World } from './_environments.ts';

const MINUTE = 60_000;
/** How far the clock moves: over deadlines and expiries at times. */
const SPANS = [1, 1, 1, 10, 10, 10, 30, 30, 60, 60, 120, 200, 300, 1500, 3000, 4400].map((each) => each * MINUTE);

const VOTERS = [['pat', 'eve'], ['eve', 'pia'], ['pat'], ['lou', 'eve'], ['pat', 'pia'], ['eng'], ['eve', 'lou']];

type Act = (world: World, environment: Environment, command: Command) => Promise<void>;

const one = <T>(list: readonly T[], pick: number): T | undefined => list[pick % Math.max(1, list.length)];
const under = ({ inner }: Environment, authority: string): Promise<readonly Item[]> =>
  inner.query(`${authority}#${MODEL}`);
const handlerOf = ({ name, deps }: Environment): RecordHandler =>
  name === 'control' ? receiveRequest(deps) : followPeer(deps);

/** Reads what a peer shows. */
export async function read(environment: Environment, peer: Name): Promise<void> {
  await readPeer(environment.deps, peer, MODEL, handlerOf(environment));
}

/** Publishes what an environment's chain says. */
export async function publish({ deps }: Environment): Promise<void> {
  await publishModels(deps, [MODEL]);
}

/** One round of an environment's reconciler. */
export async function reconcile({ name, deps }: Environment): Promise<void> {
  await reconcileEnvironment({ ...deps, peers: PEERS[name] });
}

const ACTS: Readonly<Record<Verb, Act>> = {
  async register(_, { deps, inner }, { pick }) {
    const isFirst = (await inner.query(`REGISTRATION#${MODEL}`)).length === 0;
    const release = TRAINED[pick % TRAINED.length] ?? BASELINE;
    const candidate = { release, window: 'all', fingerprint: digestOf('data'), metrics: { auc: 0.7 } };
    await registerCandidates(deps)({
      model: MODEL,
      run: `run-${pick}`,
      candidates: [candidate],
      baseline: isFirst ? { release: BASELINE, baseRate: 0.2, window: 'all' } : null,
    });
  },

  async offer(world, environment, { pick }) {
    const trained = (await under(environment, 'REGISTRATION')).filter(({ kind }) => kind === 'trained');
    const release = one(trained, pick)?.sk;
    if (release === undefined) return;
    world.counter.value += 1;
    const run = `run-${world.counter.value}`;
    const proof = { champion: BASELINE, measure: MEASURES[0], improvement: 0.02 };
    await offerRelease(environment.deps)({ model: MODEL, run, asOf: '2001-01-20', release, ...proof });
  },

  publish: (_, environment) => publish(environment),

  async hear(_, environment, { pick, how }) {
    const { hints } = environment;
    if (hints.length === 0) return;
    const [peer] = hints.splice(pick % hints.length, 1);
    if (peer === undefined || how === 0) return;
    if (how === 1) hints.push(peer);
    try {
      await read(environment, peer);
    } catch (error) {
      // The queue delivers again what was not done.
      hints.push(peer);
      throw error;
    }
  },

  async poll(_, environment) {
    for (const peer of PEERS[environment.name]) await read(environment, peer);
  },

  async carry(world, environment) {
    for (const peer of PEERS[environment.name]) {
      await publish(world.environments[peer]);
      await read(environment, peer);
    }
  },

  async step(world, named, { pick, how, fault }) {
    const { staging, prod } = world.environments;
    const working = (each: Environment): boolean => !each.executions.every(isDone);
    const environment = [named, prod, staging].find(working) ?? named;
    const atWork = environment.executions.filter((each) => !isDone(each));
    // Mostly the newest; an old one that goes on is a zombie.
    const execution = pick < 10 ? atWork.at(-1) : one(atWork, pick);
    if (execution === undefined) return;
    const states = fault === undefined ? 1 + (how >> 2) : 1;
    for (let done = 0; done < states && !isDone(execution); done += 1) await step(world, environment, execution, pick);
  },

  async skip(_, { executions }, { pick }) {
    // As if the machine were broken: the commit must refuse by itself what the states between would have refused.
    const open = executions.filter(
      ({ machine, state, found }) => machine === 'promotion' && state !== 'done' && found['approvals'] !== undefined,
    );
    const execution = one(open, pick);
    if (execution !== undefined) execution.state = 'Commit promotion';
  },

  async decide(world, environment, { pick, how }) {
    const { prod } = world.environments;
    if (how > 5 && [...prod.reference.open.values()].some(({ status }) => status === 'awaiting-approval')) {
      await publish(prod);
      await read(environment, 'prod');
    }
    const requests = await under(environment, 'REQUEST');
    const waiting = requests.filter(({ status }) => status === 'waiting');
    const request = pick < 13 ? (waiting.at(-1) ?? requests.at(-1)) : one(requests, how);
    if (request === undefined) return;
    // Everybody who is asked, or one person who may not be.
    const everybody = ['lea', 'pat', 'lou'];
    const people = how > 8 ? everybody : [[...everybody, 'pia', 'eng', 'eve', 'lea', 'pat', 'lou'][how] ?? 'lea'];
    for (const person of people) {
      const role = person === 'lou' ? ({ role: pick % 2 === 0 ? 'ml-lead' : 'platform' } as const) : {};
      const input = { model: MODEL, promotion: request.sk, comment: '', ...role } as const;
      await decide(environment.deps, person, { ...input, decision: pick === 7 ? 'reject' : 'approve' });
    }
  },

  async misdecide(world, environment, { pick, how }) {
    const request = one(await under(environment, 'REQUEST'), pick);
    if (request !== undefined) await misdecide(world, environment, request, how);
  },

  async ask(world, environment, { pick, how }) {
    if (how !== 1) world.counter.value += 1;
    const target = how % 5 === 0 ? 'staging' : 'prod';
    const hotfix = how === 3 || how === 7 ? { hotfix: { reason: 'prod is wrong' } } : {};
    const source = target === 'staging' || 'hotfix' in hotfix ? 'dev' : 'staging';
    const { items, pointer } = world.environments[target].reference;
    const known = (await under(world.environments[target], 'UPSTREAM')).filter(
      ({ kind, withdrawn, release, environment: of }) =>
        kind === 'trained' &&
        of === source &&
        withdrawn === null &&
        release !== pointer?.current &&
        !items.has(`QUARANTINE#${MODEL} ${release as string}`),
    );
    // Mostly what may be asked for; now and then something that nobody has let through.
    const release = how < 12 ? one(known, pick)?.['release'] : TRAINED[pick % TRAINED.length];
    if (release === undefined) return;
    await requestPromotion(environment.deps, how % 2 === 0 ? 'eng' : 'lea', {
      model: MODEL,
      release: release as typeof BASELINE,
      version: '0.1.1',
      environment: target,
      ...hotfix,
      requestId: `request-${world.counter.value}`,
    });
  },

  async 'roll back'(world, environment, { pick, how }) {
    const { chain, pointer } = environment.reference;
    if (pointer === undefined) return;
    const moves = chain.filter(({ code }) => code === 'RELEASE_PROMOTED' || code === 'RELEASE_ROLLED_BACK');
    const old = one(moves, pick);
    // An alarm may come late, of a release and an epoch that are gone.
    const attributed =
      how < 4 && old !== undefined
        ? { from: old.release, epoch: how < 2 ? old.details['epoch'] : pointer.epoch }
        : { from: pointer.current, epoch: pointer.epoch };
    world.counter.value += 1;
    const rollback = `rollback-${how === 15 ? 1 : world.counter.value}`;
    const input = { model: MODEL, rollback, actor: 'person:op', reason: 'wrong', ...attributed };
    if (environment.executions.some(({ name }) => name === rollback)) return;
    environment.reference.attributed.set(rollback, attributed);
    await environment.deps.machines.start('rollback', rollback, input);
    const started = environment.executions.at(-1);
    // A rollback waits for nobody: mostly its first states follow at once.
    if (started === undefined) return;
    for (let states = pick % 4; states > 0; states -= 1)
      if (!isDone(started)) await step(world, environment, started, how);
  },

  async confirm(world, environment, { pick, how }) {
    const { chain, pointer } = environment.reference;
    const admitted = chain
      .filter(({ code }) => code === 'RELEASE_PROMOTED')
      .map(({ release, details }) => ({ release, epoch: details['epoch'] }));
    const judged = how < 5 ? one(admitted, pick) : { release: pointer?.current ?? null, epoch: pointer?.epoch ?? 1 };
    if (judged === undefined || judged.release === null) return;
    if (how !== 6) world.counter.value += 1;
    await confirmRelease(environment.deps)({
      model: MODEL,
      confirmation: `confirmation-${world.counter.value}`,
      actor: 'person:pat',
      reason: 'labels have matured',
      evidence: null,
      ...judged,
    });
  },

  reconcile: (_, environment) => reconcile(environment),

  async 'activate policy'(world, { name, deps }, { pick, how }) {
    deps.deployed = DEPLOYED[pick % DEPLOYED.length] ?? deps.deployed;
    const [wanted] = how < 14 ? deps.deployed.models : [];
    const policy = wanted === undefined ? digestOf('other policy') : policyDigest(wanted.policy);
    // Mostly the two whom the policy in force asks for; at times too few, others, or one in two roles.
    // Now and then they saw another policy in force than there is.
    const active = world.environments[name].inner.items.get(`POLICY#${MODEL} ACTIVE`);
    const seen = {
      replaces: active?.['policy'] ?? policy,
      activation: Number(active?.['activation'] ?? 1) - (pick === 13 ? 1 : 0),
    };
    for (const who of VOTERS[how % VOTERS.length] ?? []) {
      await decidePolicy(world.environments.control.deps, who, {
        model: MODEL,
        environment: name === 'prod' ? 'prod' : 'staging',
        policy,
        ...PolicyVote.pick({ replaces: true, activation: true }).parse({
          ...seen,
          activation: Math.max(1, seen.activation),
        }),
        comment: '',
        ...(who === 'lou' ? { role: how % 2 === 0 ? 'ml-lead' : 'platform' } : {}),
      });
    }
  },

  async 'let time pass'(world, _, { how }) {
    world.clock.at += SPANS[how] ?? MINUTE;
  },

  async 'end execution'(_, { name, deps, executions }, { pick }) {
    const execution = one(
      executions.filter((each) => !isDone(each)),
      pick,
    );
    if (execution === undefined) return;
    const { machine, input } = execution;
    const stateMachineArn = `arn:aws:states:us-east-1:1:stateMachine:gatehouse-${name}-${machine}`;
    const end = { stateMachineArn, name: execution.name, status: 'ABORTED', input: JSON.stringify(input) };
    execution.token = undefined;
    await recordExecutionEnd(deps, end);
    execution.state = 'done';
  },
};

/** A decision that control signed and should not have: the target must not be misled by it. */
async function misdecide(world: World, { deps }: Environment, request: Item, how: number): Promise<void> {
  const expiresAt = new Date(world.clock.at + 24 * 60 * MINUTE).toISOString();
  const wrong: Readonly<Record<string, string>>[] = [
    { evidence: digestOf('other evidence') },
    { policy: digestOf('other policy') },
    { subject: textOf(request, 'requestedBy') },
    { role: 'risk' },
    { expiresAt: new Date(world.clock.at).toISOString() },
    { promotion: 'toy-of-nobody' },
    { transition: 'initial' },
    { role: 'platform', subject: 'person:lea' },
    {},
  ];
  const right = {
    environment: request['environment'],
    promotion: request.sk,
    transition: request['transition'],
    policy: request['policy'],
    evidence: request['evidence'],
    subject: 'person:lou',
    role: 'ml-lead',
    decision: 'approve',
    comment: '',
    expiresAt,
  };
  const details = { ...right, ...wrong[how % wrong.length] };
  world.counter.value += 1;
  await recordChange(deps, {
    model: MODEL,
    operation: `misdecide-${world.counter.value}`,
    writes: [],
    event: {
      code: 'DECISION_MADE',
      actor: details.subject,
      release: how === 8 ? BASELINE : request['release'],
      details,
    } as unknown as Parameters<typeof recordChange>[1]['event'],
  });
}

/** The faults that a command may meet without anything being wrong. */
function isExpected(error: unknown): boolean {
  // A round over items says what befell each.
  if (error instanceof GatehouseError && error.cause instanceof AggregateError)
    return error.cause.errors.every(isExpected);
  if (error instanceof GatehouseError) return true;
  return error instanceof Error && /^the (answer got lost|function was ended)/.test(error.message);
}

/** Does a command in a world. */
export async function perform(world: World, command: Command): Promise<void> {
  const act = async (): Promise<void> => {
    try {
      await ACTS[command.do](world, world.environments[command.in], command);
    } catch (error) {
      if (!isExpected(error)) throw error;
    }
  };
  await world.under(command.fault, (rival) => perform(world, rival), act);
}
