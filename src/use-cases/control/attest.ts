import { z } from 'zod';
import { type Attested, AttestedGate, type Producer } from '#domain/attestation/attestation.ts';
import { type Job, producerOf, whyNotAttesting } from '#domain/attestation/ci-token.ts';
import { differs } from '#domain/attestation/counting.ts';
import { Commit, type Finding, type ForgeReview } from '#domain/attestation/finding.ts';
import { REPORT_FORMATS, ReportFormat } from '#domain/attestation/report-format.ts';
import { type KnownPeople, reviewByPeople } from '#domain/attestation/review.ts';
import { GATE_SUBJECTS as OF } from '#domain/gates/attested.ts';
import { canonicalJson, Digest, digestOf } from '#domain/canonical/digest.ts';
import { personOf } from '#domain/control/person.ts';
import { whyUnknownModel } from '#domain/control/promotion-request-body.ts';
import { ABSENT, equals, type Write } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { DeployedModel, DeployedModels } from '#domain/model/deployed.ts';
import { ModelName } from '#domain/model/definition.ts';
import { type Refusal, refusal } from '#domain/refusal/refusal.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { Directory } from '#ports/directory.ts';
import { findRecord } from '#read-model/chain.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';

/** The largest report, as it is sent and when it is unpacked: Lambda takes bodies of 6 MB, in base64. */
export const MOST_REPORT_BYTES = 4 * 1024 * 1024;

/** What is sent to be attested. */
export const AttestationBody = z.strictObject({
  gate: AttestedGate,
  /** What it is about: exactly one of the two. A job's commit is its token's. */
  commit: Commit.exactOptional(),
  release: Digest.exactOptional(),
  /** The model, where it is not every one that the commit concerns. */
  model: ModelName.exactOptional(),
  format: ReportFormat.exactOptional(),
  /** The report in base64; it may be compressed by gzip. */
  report: z.base64().max(Math.ceil((MOST_REPORT_BYTES * 4) / 3) + 4),
});
export type AttestationBody = z.infer<typeof AttestationBody>;

/** What a report says, or why it is not read. */
export type ReadReport = (
  bytes: Uint8Array,
  format?: ReportFormat,
) =>
  | {
      readonly kind: 'read';
      readonly format: ReportFormat;
      readonly findings: readonly (Finding | ForgeReview)[];
      /** The commits and digests that the report itself is about; empty where it does not say. */
      readonly subjects: readonly string[];
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export interface Attesting extends Recording {
  readonly directory: Directory;
  readonly deployed: DeployedModels;
  readonly people: KnownPeople;
  /** Where the runs of each issuer are shown, by its name. */
  readonly servers: Readonly<Record<string, string>>;
  readonly reports: ArtifactStore;
  readonly readReport: ReadReport;
}

/** Who attests: a job whose token was verified, or a signed-in person, whose word is a claim. */
export type Attester =
  | { readonly kind: 'ci'; readonly job: Job }
  | { readonly kind: 'person'; readonly username: string };

export type AttestResult =
  | { readonly kind: 'attested'; readonly records: readonly { readonly model: string; readonly seq: number }[] }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

interface Aimed {
  readonly producer: Producer;
  readonly models: readonly string[];
  /** What of a run, or of a person, is said once. */
  readonly occasion: readonly string[];
  readonly commit: string | null;
  readonly release: Digest | null;
  /** The token by which a job attests. */
  readonly token: string | null;
}

/**
 * Records what a report says in control's chain, for each model that it concerns. Nothing is decided here: targets read the
 * records, and each judges by its own policy whose word counts.
 */
export async function attest(deps: Attesting, by: Attester, body: AttestationBody): Promise<AttestResult> {
  const aimed = by.kind === 'ci' ? aimOfJob(deps, by.job, body) : aimOfPerson(deps, by.username, body);
  if ('rule' in aimed) return refused(aimed);
  const { commit, release } = aimed;
  if (!OF[body.gate].includes(commit === null ? 'release' : 'commit'))
    return refused(
      refusal(
        'attestation-subject',
        `${body.gate} is attested of a ${OF[body.gate].join(' or ')}`,
        'name one of those',
      ),
    );
  const bytes = Buffer.from(body.report, 'base64');
  const read = deps.readReport(bytes, body.format);
  if (read.kind === 'refused') return read;
  const gates: readonly AttestedGate[] = REPORT_FORMATS[read.format];
  if (!gates.includes(body.gate))
    return refused(
      refusal(
        'report-format',
        `${read.format} says nothing of ${body.gate}, but of ${gates.join(', ')}`,
        'send a report that says something of the gate',
      ),
    );
  const subject = commit ?? release?.slice('sha256:'.length) ?? '';
  if (read.subjects.length > 0 && !read.subjects.includes(subject))
    return refused(
      refusal('attestation-subject', `the report is about ${read.subjects.join(', ')}, not ${subject}`, REPORT_OF_IT),
    );
  const findings: Finding[] = [];
  for (const finding of read.findings) {
    if (finding.kind !== 'forge-review') findings.push(finding);
    else {
      const review = await reviewByPeople(finding, deps.people, (user) => deps.directory.groupsOf(user));
      if (review.kind === 'refused') return review;
      findings.push(review.finding);
    }
  }
  const { digest: report } = await deps.reports.write(bytes);
  return recordEach(deps, aimed, body.gate, findings, { format: read.format, report });
}

/** What a job's attestation is about, and of which models: those whose deployed policy names the job as a producer. */
function aimOfJob(deps: Attesting, job: Job, { gate, commit, release, model }: AttestationBody): Aimed | Refusal {
  const { claims } = job;
  const unfit = whyNotAttesting(job, release === undefined);
  if (unfit !== undefined) return unfit;
  if (commit !== undefined && (commit !== claims.sha || release !== undefined))
    return refusal(
      'attestation-subject',
      `the job is of ${claims.sha}, not of ${commit}`,
      'attest it by the job of its push',
    );
  const producer = producerOf(job, deps.servers[job.issuer] ?? '');
  const named = deps.deployed.models.map((each) => ({ each, why: whyNotNamed(each, gate, producer) }));
  const models = named.flatMap(({ each, why }) => (why === undefined ? [each.definition.name] : []));
  const meant = models.filter((name) => model === undefined || name === model);
  if (meant.length === 0) return refusal('producer-known', named[0]?.why ?? 'no model is deployed');
  if (release !== undefined && model === undefined)
    return refusal(
      'attestation-subject',
      'a release is attested of one model',
      'name it: --model MODEL, or MODEL@VERSION',
    );
  return {
    producer,
    models: meant,
    occasion: [job.issuer, claims.repository_id, claims.run_id, claims.run_attempt],
    commit: release === undefined ? claims.sha : null,
    release: release ?? null,
    token: `${job.issuer} ${claims.jti}`,
  };
}

function whyNotNamed({ policy }: DeployedModel, gate: AttestedGate, job: Parameters<typeof differs>[1]) {
  const producers = (policy.attestations?.producers ?? []).filter(({ gates }) => gates.includes(gate));
  const why = producers.map((each) => differs(each, job));
  if (why.some((each) => each === undefined)) return undefined;
  return why[0] ?? `no policy names a producer of ${gate}`;
}

function aimOfPerson(
  { deployed, clock }: Attesting,
  username: string,
  { commit, release, model }: AttestationBody,
): Aimed | Refusal {
  if ((commit === undefined) === (release === undefined))
    return refusal(
      'attestation-subject',
      'a commit or a release is attested',
      'say which: --commit SHA, or --release REL',
    );
  const names = deployed.models.map(({ definition }) => definition.name);
  const unknown = model === undefined ? undefined : whyUnknownModel(model, names);
  if (unknown !== undefined) return unknown;
  if (release !== undefined && model === undefined)
    return refusal(
      'attestation-subject',
      'a release is attested of one model',
      'name it: --model MODEL, or MODEL@VERSION',
    );
  const subject = personOf(username);
  return {
    producer: { kind: 'person', subject },
    models: model === undefined ? names : [model],
    // What expired may be claimed again.
    occasion: [subject, clock.now().toISOString().slice(0, 13)],
    commit: commit ?? null,
    release: release ?? null,
    token: null,
  };
}

async function recordEach(
  deps: Attesting,
  { producer, models, occasion, commit, release, token }: Aimed,
  gate: AttestedGate,
  findings: readonly Finding[],
  { format, report }: Pick<Attested, 'format' | 'report'>,
): Promise<AttestResult> {
  const records = [];
  for (const model of models) {
    for (const [nth, finding] of findings.entries()) {
      const details: Attested = { gate, commit, producer, format, report, finding };
      const tool = finding.kind === 'scan' ? finding.tool : '';
      const subject = commit ?? release ?? '';
      // A run says one thing of a subject, by each tool: what it says again, the same or not, is no other attestation.
      const operation = operationName('attest', ...occasion, gate, subject, tool);
      const size = Buffer.byteLength(canonicalJson(details));
      if (size > MOST_DETAILS_BYTES)
        return refused(
          refusal('attestation-fits', `it takes ${size} bytes of a record, ${MOST_DETAILS_BYTES} at most`),
        );
      const result = await recordChange(deps, {
        model,
        operation,
        writes: token === null ? [] : [tokenWrite(model, token, { gate, report }, nth === 0)],
        event: {
          code: 'ATTESTED',
          actor: producer.kind === 'person' ? producer.subject : `ci:${occasion[0] ?? ''}`,
          release,
          details,
        },
      });
      if (result.kind === 'refused') return refused(refusal('token-once', 'the token has attested another report'));
      if (result.kind === 'already-recorded') {
        const first = await findRecord(deps.ledger, model, result.seq);
        if (first === undefined || canonicalJson(first.details) !== canonicalJson(details))
          return refused(
            refusal(
              'attested-once',
              `${occasion.join(' ')} has attested ${gate} of ${subject} already, record ${result.seq}`,
            ),
          );
      }
      records.push({ model, seq: result.seq });
    }
  }
  return { kind: 'attested', records };
}

/** That a token attests one report, of which each finding is a record: the first takes it, the others find it taken for the same. */
function tokenWrite(
  model: string,
  token: string,
  used: { readonly gate: AttestedGate; readonly report: Digest },
  isFirst: boolean,
): Write {
  const key = keys.attestations(model, 'token', digestOf(token));
  return isFirst
    ? { kind: 'put', item: { ...key, ...used }, condition: ABSENT }
    : { kind: 'check', key, condition: equals(used) };
}

const REPORT_OF_IT = 'send the report of the same commit or release';

/** A record of the chain is 4 KB at most, its other fields included. */
const MOST_DETAILS_BYTES = 3200;

const refused = (why: Refusal) => ({ kind: 'refused', refusal: why }) as const;
