import { z } from 'zod';
import { Attested, AttestedGate, type Producer } from '#domain/attestation/attestation.ts';
import { type Job, producerOf, whyNotAttesting } from '#domain/attestation/ci-token.ts';
import { whyNotCounting } from '#domain/attestation/counting.ts';
import { Commit, type Finding, type ForgeReview } from '#domain/attestation/finding.ts';
import { MOST_REPORT_BYTES, REPORT_FORMATS, ReportFormat } from '#domain/attestation/report-format.ts';
import { type KnownPeople, reviewByPeople } from '#domain/attestation/review.ts';
import { GATE_SUBJECTS as OF } from '#domain/gates/attested.ts';
import { canonicalJson, Digest, digestOf } from '#domain/canonical/digest.ts';
import { personOf } from '#domain/control/person.ts';
import { whyUnknownModel } from '#domain/control/promotion-request-body.ts';
import { ABSENT, absentOrEquals, equals, type Write } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { DeployedModels } from '#domain/model/deployed.ts';
import { ModelName } from '#domain/model/definition.ts';
import { Role } from '#domain/policy/role.ts';
import { type Refusal, refusal } from '#domain/refusal/refusal.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { Directory } from '#ports/directory.ts';
import { claimsKey, findClaims } from '#read-model/attestations.ts';
import { findRecordOf } from '#read-model/chain.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';

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

/** Who attests: a job whose token was verified, or a signed-in person, whose attestation is a claim. */
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
 * records, and each judges by its own policy whose attestations count.
 */
export async function attest(deps: Attesting, by: Attester, body: AttestationBody): Promise<AttestResult> {
  const aimed = by.kind === 'ci' ? aimOfJob(deps, by.job, body) : aimOfPerson(deps, by.username, body);
  if ('rule' in aimed) return refused(aimed);
  if (by.kind === 'person' && !(await deps.directory.groupsOf(by.username)).some((group) => ROLES.includes(group)))
    return refused(refusal('attester-role', `${by.username} holds no role`));
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
  const { format } = read;
  const report = digestOf(bytes);
  const said: Attested[] = [];
  for (const finding of findings) {
    const parsed = Attested.safeParse({ gate: body.gate, commit, producer: aimed.producer, format, report, finding });
    if (!parsed.success)
      return refused(refusal('report-consistent', parsed.error.issues.map(({ path }) => path.join('.')).join(', ')));
    const size = Buffer.byteLength(canonicalJson(parsed.data));
    if (size > MOST_DETAILS_BYTES)
      return refused(refusal('attestation-fits', `it takes ${size} bytes of a record, ${MOST_DETAILS_BYTES} at most`));
    said.push(parsed.data);
  }
  return recordEach(deps, aimed, said, async () => {
    await deps.reports.write(bytes);
    return true;
  });
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
  const named = deps.deployed.models.map(({ definition: { name }, policy }) => {
    const rule = { producers: policy.attestations?.producers ?? [], people: [] };
    return { name, why: whyNotCounting({ gate, environment: deps.environment, producer }, rule) };
  });
  const models = named.flatMap(({ name, why }) => (why === undefined ? [name] : []));
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

/** Records what is said, of each model; the report is stored before the first record that names it, and for nothing that is refused. */
async function recordEach(
  deps: Attesting,
  aimed: Aimed,
  said: readonly Attested[],
  store: () => Promise<true>,
): Promise<AttestResult> {
  const { producer, models, occasion, commit, release } = aimed;
  const subject = commit ?? release ?? '';
  const records = [];
  let isStored = false;
  for (const model of models) {
    for (const details of said) {
      const { gate, finding } = details;
      const tool = finding.kind === 'scan' ? finding.tool : '';
      // A run says one thing of a subject, by each tool: what it says again, the same or not, is no other attestation.
      const operation = operationName('attest', ...occasion, gate, subject, tool);
      const known = async () => {
        const earlier = await findRecordOf(deps.ledger, model, operation);
        if (earlier === undefined || canonicalJson(earlier.details) === canonicalJson(details)) return earlier?.seq;
        const found = `${occasion.join(' ')} has attested ${gate} of ${subject} already, record ${earlier.seq}`;
        return refusal('attested-once', found);
      };
      const before = await known();
      if (before !== undefined) {
        if (typeof before !== 'number') return refused(before);
        records.push({ model, seq: before });
        continue;
      }
      const write = await occasionWrite(deps, model, aimed, details);
      if ('rule' in write) return refused(write);
      isStored = isStored || (await store());
      const actor = producer.kind === 'person' ? producer.subject : `ci:${occasion[0] ?? ''}`;
      const event = { code: 'ATTESTED', actor, release, details } as const;
      const result = await recordChange(deps, { model, operation, writes: [write], event });
      if (result.kind === 'refused')
        return refused(
          aimed.token === null
            ? refusal('claims-limited', 'several claims at once')
            : refusal('token-once', 'the token has attested another report'),
        );
      // Somebody said it at the same time: the same, or something else.
      const other = result.kind === 'already-recorded' ? await known() : undefined;
      if (typeof other === 'object') return refused(other);
      records.push({ model, seq: result.seq });
    }
  }
  return { kind: 'attested', records };
}

/** How many claims of one model a person makes in an hour. */
const MOST_CLAIMS = 20;

/** That a token attests one report, of which each finding is a record; or that a person makes so many claims. */
async function occasionWrite(
  { ledger }: Attesting,
  model: string,
  { token, occasion }: Aimed,
  { gate, report }: Attested,
): Promise<Write | Refusal> {
  if (token !== null) {
    const key = keys.attestations(model, 'token', digestOf(token));
    // What is lost on the way is sent again with another token, and every finding of a report with the same one.
    return { kind: 'put', item: { ...key, gate, report }, condition: absentOrEquals({ gate, report }) };
  }
  const key = claimsKey(model, occasion.join(' '));
  const known = await findClaims(ledger, model, occasion.join(' '));
  const count = known?.count ?? 0;
  if (count >= MOST_CLAIMS) return refusal('claims-limited', `${count} claims of ${model} within the hour`);
  return {
    kind: 'put',
    item: { ...key, count: count + 1 },
    condition: known === undefined ? ABSENT : equals({ count }),
  };
}

const REPORT_OF_IT = 'send the report of the same commit or release';

/** A record of the chain is 4 KB at most, its other fields included. */
const MOST_DETAILS_BYTES = 3200;

const ROLES: readonly string[] = Role.options;

const refused = (why: Refusal) => ({ kind: 'refused', refusal: why }) as const;
