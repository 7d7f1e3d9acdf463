import { expect, it } from 'vitest';
import { run } from '#cli/commands/run/show.ts';
import type { AuditEvent } from '#domain/audit/events.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import { recordChange } from '#use-cases/audit/record-change.ts';
import { fill, testContext } from './_context.ts';

const MODEL = 'flight-delay';
const RUN = 'flight-delay-2001-04-02-manual-1a2b3c4d';
const CHECK = 'b1e2-data-check';

it('leads from a run that failed to the record that has the cause', async () => {
  const { context, ledgerOf, text } = testContext({ model: MODEL, run: RUN });
  const ledger = ledgerOf('dev');
  await fill(ledger, [{ ...keys.run(MODEL, RUN), run: RUN, machine: 'retraining', status: 'failed' }]);
  const record = (event: AuditEvent) =>
    recordChange(
      { ledger, environment: 'dev', clock: { now: () => new Date('2001-04-02T06:00:00.000Z') } },
      { model: MODEL, operation: `${event.code} ${JSON.stringify(event.details)}`.slice(0, 60), writes: [], event },
    );
  const failed = (machine: string, of: string, error: string): AuditEvent => ({
    code: 'RUN_FAILED',
    actor: `pipeline:${machine}`,
    release: null,
    details: { machine, run: of, state: 'States.TaskFailed', error },
  });
  const refused = (of: string, reasons: string[]): AuditEvent => ({
    code: 'DATA_REFUSED',
    actor: 'pipeline:data-quality',
    release: null,
    details: {
      run: of,
      partitions: 1,
      rows: 10,
      training: null,
      policy: digestOf('policy'),
      evidence: digestOf('evidence'),
      verdict: 'FAIL',
      reasons,
    },
  });
  await record(refused('another-check', ['events of 2001-03-30: not of this run']));
  await record(
    failed('data-quality', CHECK, `the engine ended; ${'x'.repeat(300)} while it read events of 2001-03-28`),
  );
  await record(
    failed('retraining', RUN, `{"Name":"${CHECK}","Cause":"a state met a fault; it is in the audit trail"}`),
  );
  await run(context);
  const shown = text();
  expect(shown).toContain('why it ended');
  expect(shown).toMatch(
    /record 1 RUN_FAILED: States\.TaskFailed: the engine ended; x+ while it read events of 2001-03-28/,
  );
  expect(shown).not.toContain('2001-03-30');
});
