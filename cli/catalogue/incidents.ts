import type { CommandSpec } from './spec.ts';

const group = 'Operate:';

/** What went wrong, who has it, and how it ends. */
export const INCIDENTS: readonly CommandSpec[] = [
  {
    name: 'incident list',
    group,
    nounSummary: 'what went wrong, who has it, and what of it is not settled',
    args: '[model]',
    summary: 'the incidents that are not closed: status, who has them, when the root cause is due',
    options: [['--all', 'closed ones as well']],
    examples: ['incident list', 'incident list flight-delay --env prod --all'],
    load: () => import('../commands/incident/list.ts'),
  },
  {
    name: 'incident show',
    group,
    args: '<incident>',
    summary:
      'an incident: parts, timeline, blast radius, and a picture of the metric; the beginning of its name will do',
    options: [
      ['--postmortem', 'write the report as a Markdown draft, with the facts filled in'],
      ['--out <file>', 'with --postmortem: where to; default: docs/postmortems/<incident>.md'],
    ],
    examples: [
      'incident show flight-delay-prod-rollback-3',
      'incident show flight-delay-prod-rollback-3 --postmortem --out postmortem.md',
    ],
    load: () => import('../commands/incident/show.ts'),
  },
  {
    name: 'incident acknowledge',
    group,
    args: '<incident>',
    summary: 'say that you have it: nobody else is notified; by your AWS credentials of its account',
    options: [['--comment <text>', 'for the audit trail', '']],
    examples: ['incident acknowledge flight-delay-prod-rollback-3 --comment "looking at the source"'],
    load: () => import('../commands/incident/acknowledge.ts'),
  },
  {
    name: 'incident settle',
    group,
    args: '<incident>',
    summary: 'say how a part of an incident has ended',
    required: [
      ['--part <part>', 'the part, as incident show names it'],
      ['--as <resolution>', 'recomputed, withdrawn or accepted'],
      ['--reason <text>', 'why, for the audit trail'],
    ],
    examples: [
      'incident settle flight-delay-prod-rollback-3 --part answers --as accepted --reason "consumers were told"',
    ],
    load: () => import('../commands/incident/settle.ts'),
  },
  {
    name: 'incident close',
    group,
    args: '<incident>',
    summary: 'close an incident with its root cause; refused while a part of it is open',
    required: [['--root-cause <file>', 'why it happened: a text file of 20 characters to 64 KB']],
    examples: ['incident close flight-delay-prod-rollback-3 --root-cause postmortem.md'],
    load: () => import('../commands/incident/close.ts'),
  },
];
