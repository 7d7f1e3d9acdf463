import type { CommandSpec } from './spec.ts';

const group = 'Operate:';

/** What keeps the system itself running. */
export const OPERATE: readonly CommandSpec[] = [
  {
    name: 'login',
    group,
    summary: 'sign in to control, where promotions are asked for and decided',
    options: [
      ['--username <name>', 'user name; default: GATEHOUSE_USERNAME, else asked'],
      ['--mfa', 'enrol an authenticator (TOTP): each later sign-in asks for its code'],
      ['--api <url>', 'the approvals API; default: what the control stack says'],
      ['--client <id>', 'the user pool client; default: what the control stack says'],
    ],
    examples: ['login', 'login --mfa', 'GATEHOUSE_PASSWORD=... gatehouse login --username lea'],
    load: () => import('../commands/login/login.ts'),
  },
  {
    name: 'deploy',
    group,
    args: '[environments...]',
    summary: 'deploy environments: with the CDK CLI and each account’s profile, or to the local cloud when one runs',
    examples: ['deploy', 'deploy dev staging', 'deploy prod --yes'],
    load: () => import('../commands/deploy/deploy.ts'),
  },
  {
    name: 'fsck',
    group,
    args: '[model]',
    summary: 'check what exists against the invariants, in every environment; nothing is changed',
    examples: ['fsck', 'fsck flight-delay -o json'],
    load: () => import('../commands/fsck/fsck.ts'),
  },
  {
    name: 'smoke-test',
    group,
    summary: 'whether each environment is there and hangs together: stacks, machines, inbox, pointers, artifacts',
    examples: ['smoke-test', 'smoke-test --env prod'],
    load: () => import('../commands/smoke-test/smoke-test.ts'),
  },
  {
    name: 'local up',
    group,
    nounSummary: 'the local cloud: every account on this machine',
    summary: 'start the local cloud; a second start is harmless',
    examples: ['local up'],
    load: () => import('../commands/local/up.ts'),
  },
  {
    name: 'local down',
    group,
    summary: 'stop the local cloud with every process that it started',
    examples: ['local down'],
    load: () => import('../commands/local/down.ts'),
  },
  {
    name: 'local status',
    group,
    summary: 'whether the local cloud runs, and where',
    examples: ['local status'],
    load: () => import('../commands/local/status.ts'),
  },
];
