import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { z } from 'zod';
import { AttestedGate } from '#domain/attestation/attestation.ts';
import { Commit } from '#domain/attestation/finding.ts';
import { ReportFormat } from '#domain/attestation/report-format.ts';
import { Digest } from '#domain/canonical/digest.ts';
import { ModelName } from '#domain/model/definition.ts';
import type { Context, Run } from '../../context.ts';
import { AttestationRecords, controlAccess, controlApi, sendToControl } from '../../control/api.ts';
import { isJob, jobToken } from '../../control/job.ts';
import { findRelease, modelNames, parseReference } from '../../references.ts';
import { UsageError } from '../../refusal.ts';
import { testInStaging } from './test-in-staging.ts';

const Input = z.object({
  gate: AttestedGate,
  commit: Commit.optional(),
  release: z.string().optional(),
  model: ModelName.optional(),
  from: z.string().optional(),
  format: ReportFormat.optional(),
  issuer: z.string().default('github'),
  api: z.url().optional(),
});

export const run: Run = async (context) => {
  const { gate, commit, release, model, from, format, issuer, api } = context.input(Input);
  if ((commit === undefined) === (release === undefined))
    throw new UsageError(`attest is about one thing; type: gatehouse attest ${gate} --commit SHA, or --release REL`);
  if (from === undefined) {
    if (release === undefined || !context.isEnvironmentNamed)
      throw new UsageError(
        `attest has no --from FILE; or let staging find out: gatehouse attest ${gate} --release REL --env staging`,
      );
    return testInStaging(context, gate, release);
  }
  const subject = release === undefined ? { commit } : await releaseOf(context, release, model);
  const report = await readFile(from).catch((error: unknown) => {
    throw new UsageError(`${from} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  });
  const body = {
    gate,
    ...subject,
    ...(release === undefined && model !== undefined ? { model } : {}),
    ...(format === undefined ? {} : { format }),
    report: gzipSync(report).toString('base64'),
  };
  const isOfJob = isJob(context.terminal.env);
  const { records } = isOfJob
    ? await attestAsJob(context, { issuer, api }, body)
    : await (await controlApi(context)).attest(body);
  const about = commit === undefined ? `release ${release}` : `commit ${commit.slice(0, 12)}`;
  context.print({
    data: { gate, ...subject, records },
    sections: [
      {
        title: `${gate} of ${about}: attested${isOfJob ? '' : ', as a claim'}`,
        columns: ['model', "record of control's chain"],
        rows: records.map((each) => [each.model, String(each.seq)]),
      },
      ...(isOfJob
        ? []
        : [{ lines: ['a claim satisfies a gate only where the policy names you: attestations.people'] }]),
    ],
  });
};

/** Attests by the token of the job that runs; nothing of AWS is needed where the API is named. */
async function attestAsJob(
  context: Context,
  { issuer, api }: { readonly issuer: string; readonly api: string | undefined },
  body: object,
): Promise<AttestationRecords> {
  const { apiUrl } = await controlAccess(context, { api, client: 'none' });
  const audience = context.config.ci.find(({ name }) => name === issuer)?.audience ?? 'gatehouse';
  const token = await jobToken(context.terminal.env, audience);
  return sendToControl(AttestationRecords, 'POST', new URL(`/attestations/${issuer}`, apiUrl), token, body);
}

/** The release and its model: by its whole digest without any account, else as dev registered it. */
async function releaseOf(context: Context, named: string, model: string | undefined) {
  const digest = Digest.safeParse(named);
  if (digest.success && model !== undefined) return { release: digest.data, model };
  const found = await findRelease(context.cloud('dev').ledger, parseReference(named), await modelNames(context));
  return { release: found.release, model: found.model };
}
