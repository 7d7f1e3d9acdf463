import { resolve } from 'node:path';
import { z } from 'zod';
import { s3ArtifactStore } from '#adapters/aws/artifact-store.ts';
import { joinText } from '#domain/data/label-joins.ts';
import { agreementInWords } from '#domain/model/trainer-predictions.ts';
import type { Promotion } from '#domain/promotion/promotion.ts';
import { ReleaseManifest } from '#domain/release/manifest.ts';
import type { Registration } from '#domain/release/registration.ts';
import { readDocument } from '#ports/documents.ts';
import { readPromotions } from '#read-model/promotions.ts';
import { readProspect } from '#read-model/prospect.ts';
import { findRegistration } from '#read-model/registrations.ts';
import type { Context, Run } from '../../context.ts';
import { refuse } from '../../refusal.ts';
import { findRelease, modelNames, parseReference } from '../../references.ts';
import { ago, type Report, shortDigest, shortTime } from '../../report.ts';
import { type AttestationLine, attestationLines, attestationsSection } from '../promotion/attestations-view.ts';
import { fetchReport, openFile, pageOf } from './report.ts';
import { releaseStatuses, whereDeployed } from '../status/collect.ts';

export const run: Run = async (context) => {
  const {
    release: named,
    report,
    out,
    open,
  } = context.input(
    z.object({
      release: z.string(),
      report: z.boolean().optional(),
      out: z.string().optional(),
      open: z.boolean().default(true),
    }),
  );
  const dev = context.cloud('dev');
  const { model, release } = await findRelease(dev.ledger, parseReference(named), await modelNames(context));
  const registration = await findRegistration(dev.ledger, model, release);
  if (registration === undefined)
    return refuse('release-known', `${release} is not registered`, `see: gatehouse release list ${model}`);
  const store = s3ArtifactStore(dev.s3, dev.names.artifactBucket);
  const about = { model, release, objectiveMs: null };
  const prospect = await whereDeployed(
    readProspect(context.cloud('prod').ledger, about, 'prod', context.now()),
    undefined,
  );
  const lines = attestationLines(prospect?.attestations ?? [], prospect?.rule, context.now());
  if (report === true) {
    const page = resolve(out ?? pageOf(context.home, registration));
    const { data, sections } = await fetchReport(store, registration, page);
    // The page was made in dev, before anything could be attested.
    context.print({ data, sections: [...sections, attestationsSection(lines, context.now())] });
    if (open && context.terminal.stdout.isTTY === true) openFile(page);
    return;
  }
  const manifest = await readDocument(store, ReleaseManifest, release);
  const statuses = await releaseStatuses(context, model, Infinity);
  const stage = statuses.find((status) => status.release === release)?.stage ?? 'Experimentation';
  context.print(
    releaseReport(
      registration,
      manifest,
      { stage, attestations: lines, promotions: await promotionsEverywhere(context, model, release) },
      context.now(),
    ),
  );
};

async function promotionsEverywhere(context: Context, model: string, release: string): Promise<readonly Promotion[]> {
  const found = await Promise.all(
    (['staging', 'prod'] as const).map((environment) =>
      whereDeployed(readPromotions(context.cloud(environment).ledger, model), []),
    ),
  );
  return found.flat().filter((promotion) => promotion.release === release);
}

/** Everything that is known of a release. */
export function releaseReport(
  registration: Registration,
  manifest: ReleaseManifest,
  {
    stage,
    attestations,
    promotions,
  }: {
    readonly stage: string;
    readonly attestations: readonly AttestationLine[];
    readonly promotions: readonly Promotion[];
  },
  now: Date,
): Report {
  const { data, training } = manifest;
  const load = attestations.find(({ gate, counts }) => gate === 'load' && counts === 'counts');
  return {
    data: { registration, manifest, stage, attestations, promotions },
    sections: [
      {
        title: `${registration.model}@${registration.version}: ${stage}`,
        lines: [
          `  release      ${registration.release}`,
          `  version      ${registration.reason}`,
          `  registered   ${shortTime(registration.at)} by ${registration.creator} for ${registration.owner}, run ${registration.run}`,
          `  trained on   ${data.window.name}: ${data.window.from} to ${data.window.to}, labels until ${data.labelsUntil}, ${data.partitions} partitions`,
          `  fingerprint  ${data.fingerprint}`,
          `  created by   ${registration.createdBy ?? 'not known'}, commit ${manifest.code.commit}`,
          `  recipe       ${shortDigest(manifest.recipe)}, image ${training.image}, seed ${training.seed}`,
          `  metrics      ${
            Object.entries(registration.metrics)
              .map(([name, value]) => `${name} ${value.toPrecision(4)}`)
              .join(', ') || 'none'
          } (of its own rows)`,
          `  load         ${load === undefined ? 'not measured' : `${load.says} (in staging, ${ago(load.at, now)})`}`,
          ...(registration.kind === 'baseline' ? [] : [`  onnx         ${agreementInWords(registration.agreement)}`]),
          ...(registration.joins === undefined ? [] : [`  labels       ${joinText(registration.joins)}`]),
          `  report       ${registration.report === undefined ? 'none' : `${shortDigest(registration.report.html)} (see --report)`}`,
        ],
      },
      {
        title: 'files',
        columns: ['path', 'sha256', 'bytes'],
        rows: manifest.files.map(({ path, sha256, size }) => [path, shortDigest(sha256), String(size)]),
      },
      attestationsSection(attestations, now),
      {
        title: 'promotions',
        columns: ['promotion', 'into', 'status', 'opened', 'ending'],
        rows: promotions.map(({ promotion, environment, status, openedAt, ending }) => [
          promotion,
          environment,
          status,
          shortTime(openedAt),
          ending ?? '-',
        ]),
        empty: 'it was offered nowhere yet',
      },
    ],
  };
}
