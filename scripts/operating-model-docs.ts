// Who owns what and who may do what: tables of docs/operating-model.md, from policy, ownership, registries and templates.
import { type Environment, ENVIRONMENTS, MACHINES, peersOf } from '#domain/environment/environment.ts';
import { join } from 'node:path';
import { STAGES } from '#cli/stages.ts';
import { AUDIT_EVENTS, type AuditCode } from '#domain/audit/events.ts';
import type { ApprovalRule } from '#domain/policy/approval-rule.ts';
import { Transition, type TransitionRule } from '#domain/policy/policy.ts';
import { REQUESTING_ROLES, Role } from '#domain/policy/role.ts';
import { policyName } from '#model/define-ownership.ts';
import { compileDeployment } from '#model/compile-deployment.ts';

import config from '../gatehouse.config.ts';
import ownership from '../governance/ownership.ts';
import floor from '../governance/policy.ts';
import { type Deployed, writersOf } from './privilege-docs.ts';

const ROOT = join(import.meta.dirname, '..');

/** The decisions that an account records, by the ledger's authority that holds them. */
const DECISIONS: Readonly<Record<string, string>> = {
  REGISTRATION: 'a release is registered',
  DATA: 'data is accepted for training',
  PROMOTION_REQUEST: 'a signed request is verified',
  EVIDENCE: 'a gate states its verdict',
  DECISION: 'a person approves or rejects',
  APPROVAL: 'a signed approval is verified, and used once',
  POLICY: 'a vote is verified; a policy comes into force',
  POINTER: 'a release is served, confirmed or rolled back',
  QUARANTINE: 'a release is quarantined; an automatic quarantine is lifted',
  QUARANTINE_VOTE: 'a vote to lift a quarantine is verified',
  ALARM: 'an alarm triggers a rollback',
  INCIDENT: 'an incident is opened, acknowledged, settled or closed',
};

/** The generated parts of `docs/operating-model.md`, by the name of their place. */
export async function operatingModelParts(deployed: readonly Deployed[]): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['stages', stageTable()],
    ['accounts', accountTable()],
    ['responsibilities', responsibilityTable()],
    ['models', await modelTable()],
    ['alerts', await alertTable(deployed)],
    ['people', peopleTable()],
    ['transitions', transitionTable()],
    ['grants', grantTable()],
    ['decisions', decisionTable(deployed)],
  ]);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

function stageTable(): string {
  const rows = Object.entries(STAGES).map(([stage, { owner, meaning }]) => [stage, meaning, owner]);
  return table(['stage', 'a release that is', 'owner'], rows);
}

function accountTable(): string {
  const rows = ENVIRONMENTS.map((environment) => [
    environment,
    ownership.accounts[environment],
    MACHINES[environment].map((machine) => `\`${machine}\``).join(', '),
    peersOf(environment).join(', '),
  ]);
  return table(['account', 'owner', 'state machines', 'reads signed records of'], rows);
}

function responsibilityTable(): string {
  const rows = ownership.responsibilities.map(({ what, responsible, accountable, consulted, informed }) => [
    what,
    ...[responsible, [accountable], consulted, informed].map((roles) => roles.join(', ')),
  ]);
  return table(['work', 'responsible', 'accountable', 'consulted', 'informed'], rows);
}

async function modelTable(): Promise<string> {
  const { models } = await compileDeployment(ROOT, config);
  const rows = models.map(({ definition, policy }) => [
    `\`${definition.name}\``,
    definition.owner,
    definition.escalation.join(' → '),
    people(policy.transitions.prod.approvals),
    people(policy.activation),
  ]);
  return table(['model', 'owner', 'escalation', 'approve for prod', 'vote on its policy'], rows);
}

async function alertTable(deployed: readonly Deployed[]): Promise<string> {
  const { models } = await compileDeployment(ROOT, config);
  const names = models.map(({ definition }) => definition.name);
  const codes = Object.keys(AUDIT_EVENTS) as AuditCode[];
  const alerts = codes.flatMap((code) => {
    const owner = ownership.alerts[code];
    if ((owner !== undefined) !== (AUDIT_EVENTS[code].alert !== false))
      throw new Error(`governance/ownership.ts: ${code} ${owner ? 'has an owner and is no alert' : 'has no owner'}`);
    if (owner === undefined) return [];
    return [[`[\`${code}\`](runbook.md#${code.toLowerCase()})`, owner.owner, `${owner.escalateAfterHours} h`]];
  });
  const alarms = [...alarmsOf(deployed, names)].map((alarm) => {
    const owner = ownership.alarms[alarm.replace('-<model>', '')];
    if (owner === undefined) throw new Error(`governance/ownership.ts: the alarm ${alarm} has no owner`);
    return [`alarm \`gatehouse-<env>-${alarm}\``, owner.owner, `${owner.escalateAfterHours} h`];
  });
  return table(['alert', 'owner', 'next role after'], [...alerts, ...alarms]);
}

/** The names of the CloudWatch alarms, without the environment, and with `<model>` for a model. */
function alarmsOf(deployed: readonly Deployed[], models: readonly string[]): ReadonlySet<string> {
  const names = deployed.flatMap(({ environment, resources }) =>
    Object.values(resources)
      .filter(({ Type: type }) => type === 'AWS::CloudWatch::Alarm')
      .map(({ Properties: { AlarmName: name } }) => {
        const of = String(name).replace(`gatehouse-${environment}-`, '');
        const model = models.find((each) => of.endsWith(`-${each}`));
        return model === undefined ? of : `${of.slice(0, -model.length)}<model>`;
      }),
  );
  return new Set(names);
}

function peopleTable(): string {
  const transitions = Transition.options.flatMap((name) => {
    const rule = floor.transitions[name];
    return rule === undefined ? [] : [{ name, rule }];
  });
  const rows = Role.options.map((role) => [
    role,
    REQUESTING_ROLES.includes(role) ? 'yes' : '',
    transitions
      .filter(({ rule }) => rule.approvals.some((approval) => approval.role === role))
      .map(({ name }) => name)
      .join(', '),
    floor.activation.some((approval) => approval.role === role) ? 'yes' : '',
  ]);
  return table(['role', 'request a promotion', 'approve', 'vote on the policy'], rows);
}

function transitionTable(): string {
  const rows = Transition.options.flatMap((name) => {
    const rule = floor.transitions[name];
    return rule === undefined ? [] : [transitionRow(name, rule)];
  });
  return table(['transition', 'started by', 'approvals', 'time to decide', 'evidence valid', 'probation'], rows);
}

function transitionRow(name: string, rule: TransitionRule): readonly string[] {
  return [
    name,
    rule.opensOnOffer ? 'the signed record of the account before' : 'a request',
    people(rule.approvals),
    rule.approvals.length === 0 ? '' : `${rule.approvalHours} h`,
    `${rule.evidenceValidHours} h`,
    rule.probation === undefined ? '' : `${rule.probation.days} days`,
  ];
}

function people(rules: readonly ApprovalRule[]): string {
  return rules.map(({ role, count }) => `${count} ${role}`).join(', ') || 'none';
}

/** What the managed policy of each role lets people start, and read beside what all of them read. */
function grantTable(): string {
  const { machines, requests, users } = ownership.acts;
  const rows = Role.options.map((role) => {
    const starts = Object.entries(machines).filter(([, roles]) => roles.includes(role));
    const more = [
      ...(requests.includes(role) ? ['raw events of requests'] : []),
      ...(users.includes(role) ? ['people and their roles (control)'] : []),
    ];
    return [
      role,
      `\`${policyName('<env>' as Environment, role)}\``,
      starts.map(([machine]) => `\`${machine}\``).join(', '),
      more.join(', '),
    ];
  });
  return table(['role', 'managed policy', 'starts by hand', 'besides'], rows);
}

function decisionTable(deployed: readonly Deployed[]): string {
  const rows = Object.entries(DECISIONS).map(([authority, decision]) => {
    const writers = writersOf(authority, deployed);
    if (writers.size === 0) throw new Error(`no function may write ${authority}: change DECISIONS`);
    return [
      decision,
      `\`${authority}\``,
      [...writers].map(([name, environments]) => `\`${name}\` (${environments.join(', ')})`).join('; '),
    ];
  });
  return table(['decision', 'authority', 'written by'], rows);
}
