import type { CommandSpec } from './spec.ts';

const group = 'Every day:';

/** What people do with releases day by day. */
export const EVERY_DAY: readonly CommandSpec[] = [
  {
    name: 'status',
    group,
    args: '[model]',
    summary: 'what each environment serves, what is on its way and for whom it waits',
    options: [
      [
        '--drift',
        'what the daily checks say of inputs, losses, skew and stored features, with a picture of it as a file',
      ],
      ['--sla', 'how fast requests spend the error budget of their objective: in 1 h, 6 h and 30 days'],
    ],
    examples: [
      'status',
      'status flight-delay',
      'status flight-delay --drift',
      'status flight-delay --sla',
      'status flight-delay -o json',
    ],
    load: () => import('../commands/status/status.ts'),
  },
  {
    name: 'why',
    group,
    args: '<release>',
    summary:
      'every gate and approval of the newest promotion of a release: verdict, numbers, reasons, what would change it',
    required: [['--to <environment>', 'staging or prod']],
    examples: ['why flight-delay@1.4.2 --to prod', 'why sha256:3f2a91c0 --to staging'],
    load: () => import('../commands/promotion/why.ts'),
  },
  {
    name: 'attest',
    group,
    args: '<gate>',
    summary: 'record what a report says of a commit or release, or have staging test it',
    options: [
      ['--commit <sha>', 'the commit that the report is about'],
      ['--release <release>', 'the release that it is about'],
      [
        '--from <file>',
        'the report: JUnit, in-toto test-result, SARIF, pip-audit, npm audit, k6, autocannon, or a GitHub review; without it, with --env staging, staging tests the release',
      ],
      ['--format <format>', 'the format of the report, where its content does not say'],
      ['--model <model>', 'only of this model, where the commit concerns several'],
      ['--issuer <name>', 'the issuer of the job’s token, as gatehouse.config.ts names it', 'github'],
      ['--api <url>', 'the API of control, where the job cannot ask AWS for it'],
    ],
    examples: [
      'attest unit-tests --commit 5b1f0c0a9d4e4c1a8f6c2f7d3e9b0a1c2d3e4f50 --from junit.xml --api https://control.example.com',
      'attest security-scan --release flight-delay@1.4.2 --env staging',
    ],
    load: () => import('../commands/attest/attest.ts'),
  },
  {
    name: 'promote',
    group,
    args: '<release>',
    summary: 'request, as the signed-in user, the promotion of a release to an environment',
    required: [['--to <environment>', 'staging or prod']],
    options: [
      [
        '--hotfix',
        'past staging, straight from dev: more people decide, and the next release waits until staging carries it',
      ],
      ['--reason <text>', 'with --hotfix: why, for those who decide and the audit trail'],
      ['--canary-hours <number>', 'a longer canary than the policy’s; never a shorter one'],
      [
        '--ab',
        'an A/B test in the canary’s stead, where the policy has one: it ends in a report, and promotes nothing',
      ],
      ['--shadow-only', 'no canary, where the policy names who approves that besides: for endpoints of little traffic'],
    ],
    examples: [
      'promote flight-delay@1.4.2 --to prod',
      'promote flight-delay@1.4.2 --to prod --canary-hours 48',
      'promote flight-delay@1.4.3 --to prod --hotfix --reason "the carrier renamed its codes"',
    ],
    load: () => import('../commands/promotion/promote.ts'),
  },
  {
    name: 'approve',
    group,
    args: '<promotion>',
    summary: 'approve a promotion as the signed-in user; the beginning of its name will do',
    options: [
      ['--role <role>', 'the role in which you vote, if you have several of the required roles'],
      ['--comment <text>', 'what the audit trail keeps beside your name', ''],
    ],
    examples: [
      'approve flight-delay-3f2a91c0aa12-prod',
      'approve flight-delay-3f2a --role ml-lead --comment "numbers look right"',
    ],
    load: () => import('../commands/promotion/approve.ts'),
  },
  {
    name: 'reject',
    group,
    args: '<promotion>',
    summary: 'reject a promotion as the signed-in user; one rejection ends it',
    options: [
      ['--role <role>', 'the role in which you vote, if you have several of the required roles'],
      ['--comment <text>', 'why, for the audit trail', ''],
    ],
    examples: ['reject flight-delay-3f2a91c0aa12-prod --comment "wait for the new carrier"'],
    load: () => import('../commands/promotion/reject.ts'),
  },
  {
    name: 'rollback',
    group,
    args: '<model>',
    summary: 'roll production back to the last confirmed release and repair its predictions; needs no approval',
    required: [['--reason <text>', 'why, for the audit trail and the incident']],
    options: [
      [
        '--to <release>',
        'an older confirmed release, as 1.0.0, model@1.0.0 or sha256:...; those between stay what they are',
      ],
      ['--dry-run', 'say what would be done, and do nothing'],
    ],
    examples: [
      'rollback flight-delay --env prod --reason "calibration is off since Monday"',
      'rollback flight-delay --env prod --to 1.0.0 --reason "both releases of May" --dry-run',
    ],
    load: () => import('../commands/rollback/rollback.ts'),
  },
  {
    name: 'confirm',
    group,
    args: '<model>',
    summary: 'end the probation of the release that an environment serves: it stays, and may be gone back to',
    required: [['--reason <text>', 'why, for the audit trail']],
    options: [['--evidence <digest>', 'what the decision rests on, as sha256:...']],
    examples: ['confirm flight-delay --env prod --reason "a fortnight of matured labels, better on each day"'],
    load: () => import('../commands/promotion/confirm.ts'),
  },
  {
    name: 'history',
    group,
    args: '<model>',
    summary: 'what was in production, when, and who approved it; in dev: what was trained, and how each run ended',
    examples: ['history flight-delay --env prod', 'history flight-delay --env dev -o yaml'],
    load: () => import('../commands/history/history.ts'),
  },
];
