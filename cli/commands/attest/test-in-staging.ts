import type { AttestedGate } from '#domain/attestation/attestation.ts';
import type { Context } from '../../context.ts';
import { followToSuccess, freshName, operator, startExecution } from '../../executions.ts';
import { findRelease, modelNames, parseReference } from '../../references.ts';
import { UsageError } from '../../refusal.ts';

/** What staging finds out by itself. */
const TESTED: readonly AttestedGate[] = ['integration-tests', 'load', 'security-scan'];

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
  const see = `see what it found: gatehouse why ${model}@${version} --to prod`;
  if (context.wait) await followToSuccess(context, cloud, arn, model);
  context.print({ data: { model, release, gate, execution: name, arn }, sections: [{ lines: [see] }] });
}
