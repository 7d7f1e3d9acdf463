import type { AttestedGate } from '#domain/attestation/attestation.ts';
import type { Finding } from '#domain/attestation/finding.ts';
import { detailsOf } from '#domain/audit/chain.ts';
import { readRecords } from '#read-model/chain.ts';
import type { Cloud } from '../../cloud.ts';
import type { Context } from '../../context.ts';
import { followToSuccess, freshName, operator, startExecution } from '../../executions.ts';
import { findRelease, modelNames, parseReference } from '../../references.ts';
import { UsageError } from '../../refusal.ts';
import { findingText } from '../promotion/attestations-view.ts';

/** What staging finds out by itself. */
const TESTED: readonly AttestedGate[] = ['integration-tests', 'load', 'security-scan'];

/** What an execution has attested. */
async function foundBy({ ledger }: Cloud, model: string, arn: string): Promise<Finding | undefined> {
  const said = (await readRecords(ledger, model)).flatMap(({ record }) =>
    record.code === 'ATTESTED' ? [detailsOf(record, record.code)] : [],
  );
  return said.findLast(({ producer }) => producer.kind === 'pipeline' && producer.execution === arn)?.finding;
}

/** Lets staging test a release for one gate, and attest what it finds. */
export async function testInStaging(context: Context, gate: AttestedGate, named: string): Promise<void> {
  const environment = context.environment(['staging']);
  if (!TESTED.includes(gate))
    throw new UsageError(`${gate} is attested of a report: gatehouse attest ${gate} --commit SHA --from FILE`);
  const cloud = context.cloud(environment);
  const { model, release, version } = await findRelease(
    context.cloud('dev').ledger,
    parseReference(named),
    await modelNames(context),
  );
  const name = freshName(model, gate);
  const requestedBy = await operator(cloud);
  const arn = await startExecution(cloud, 'release-tests', name, { model, release, gates: [gate], requestedBy });
  context.note(`staging tests ${model}@${version} for ${gate}: ${name}`);
  if (context.wait) await followToSuccess(context, cloud, arn, model);
  const found = context.wait ? await foundBy(cloud, model, arn) : undefined;
  const see = `see what counts: gatehouse why ${model}@${version} --to prod`;
  context.print({
    data: { model, release, gate, execution: name, arn, found: found ?? null },
    sections: [{ lines: [...(found === undefined ? [] : [`${gate}: ${findingText(found)}`]), see] }],
  });
}
