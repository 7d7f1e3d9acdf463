import { z } from 'zod';
import { AttestedGate } from '../attestation/attestation.ts';
import { Severity } from '../attestation/finding.ts';
import { Person } from '../control/person.ts';
import { Day } from '../model/definition.ts';
import { Role } from './role.ts';

const Gates = z.array(AttestedGate).min(1);
const Days = z.number().gt(0).max(3650);

/** A job of a CI system whose attestations count: everything that is named must be what the token says. */
export const CiProducer = z.strictObject({
  /** The gates for which its word counts, e.g. `['unit-tests', 'code-review']`. */
  gates: Gates,
  /** The issuer's name in `gatehouse.config.ts`, e.g. `'github'`. */
  issuer: z.string().min(1).max(40),
  /** The forge's number of the repository (`gh api repos/OWNER/NAME --jq .id`), which no renaming changes, e.g. `'123456789'`. */
  repositoryId: z.string().regex(/^\d{1,20}$/, 'the number of the repository, as a text'),
  /** The reusable workflow at its protected ref (`job_workflow_ref`), e.g. `'acme/models/.github/workflows/attest.yml@refs/heads/main'`. */
  workflow: z
    .string()
    .regex(
      /^[\w.-]+\/[\w.-]+\/\.github\/workflows\/[\w.-]+\.ya?ml@(refs\/(heads|tags)\/[\w./-]+|[0-9a-f]{40})$/,
      'OWNER/NAME/.github/workflows/FILE@refs/heads/BRANCH, or a commit after the @',
    ),
  /** What may have started the job, e.g. `['push']`. */
  events: z.array(z.string().min(1).max(40)).min(1),
  /** Protected refs of which the job may be, e.g. `['refs/heads/main']`. */
  refs: z.array(z.string().regex(/^refs\/(heads|tags)\/[\w./-]+$/, 'a whole ref, such as refs/heads/main')).min(1),
});
export type CiProducer = z.infer<typeof CiProducer>;

/** Gatehouse's own scan of a release. */
export const ARTIFACT_SCAN = 'artifact';

const ScanTool = z.string().regex(/^[a-z0-9][a-z0-9 ._-]{0,59}$/, 'a tool is named in small letters');

/** A vulnerability that does not count for a while. */
export const Waiver = z
  .strictObject({
    /** The scan that finds it, e.g. `'npm-audit'`; what Gatehouse's own scan (`artifact`) finds is not waived. */
    tool: ScanTool.refine((tool) => tool !== ARTIFACT_SCAN, 'what `artifact` finds is not waived'),
    /** Its id, as `why` shows it, e.g. `'GHSA-xxxx-xxxx-xxxx'`. */
    id: z
      .string()
      .min(1)
      .max(40)
      .refine((id) => id !== 'no id' && id !== 'no rule', 'something without an id cannot be waived'),
    /** Why it does no harm here, e.g. `'the parser is never given a file of somebody else'`. */
    reason: z.string().min(10).max(300),
    /** First day on which it is waived, e.g. `'2026-12-01'`. */
    from: Day,
    /** Last day on which it is waived, at most 92 days later, e.g. `'2026-12-31'`. */
    until: Day,
  })
  .refine(({ from, until }) => until >= from && Date.parse(until) - Date.parse(from) <= 92 * 86_400_000, {
    path: ['until'],
    message: 'at most 92 days after from',
  });
export type Waiver = z.infer<typeof Waiver>;

/** Whose attestations count for the gates that judge attestations, for how long, and what it has to say. */
export const AttestationRule = z.strictObject({
  /** CI jobs whose attestations count. A model may add its own; default: the floor’s. */
  producers: z.array(CiProducer).max(20),
  /** People whose attestations count, e.g. `[{ gates: ['unit-tests'], subject: 'person:alice' }]`. The floor alone says so. */
  people: z
    .array(
      z.strictObject({
        /** The gates for which the person's word counts, e.g. `['unit-tests']`. */
        gates: Gates,
        /** The person, as control's directory names it, e.g. `'person:alice'`. */
        subject: Person,
      }),
    )
    .max(20),
  /** Unit tests of the release's commit. */
  unitTests: z.strictObject({
    /** Days for which they count, e.g. 90. A model may only lower it; default: the floor’s. */
    validDays: Days,
  }),
  /** The review of the release's commit, which counts as long as the commit. */
  codeReview: z.strictObject({
    /** Roles of which a reviewer has one, e.g. `['ml-engineer', 'ml-lead']`. A model may only leave out roles; default: the floor’s. */
    roles: z.array(Role).min(1),
    /** Reviewers who must have approved, none of them an author, e.g. 1. A model may only raise it; default: the floor’s. */
    count: z.int().min(1).max(5),
  }),
  /** Tests of the release where it serves. */
  integrationTests: z.strictObject({
    /** Days for which they count, e.g. 30. A model may only lower it; default: the floor’s. */
    validDays: Days,
  }),
  /** A run of load on the endpoint of the release. */
  load: z.strictObject({
    /** Days for which it counts, e.g. 30. A model may only lower it; default: the floor’s. */
    validDays: Days,
    /** Seconds of load, e.g. 30. The floor alone says so. */
    seconds: z.int().min(1).max(600),
    /** Requests at a time, e.g. 4. The floor alone says so. */
    connections: z.int().min(1).max(100),
    /** Share of the requests that may fail, e.g. 0. A model may only lower it; default: the floor’s. */
    failures: z.number().min(0).max(0.1),
    /** Share of the baseline's throughput that must be reached, because two runs of the same release differ, e.g. 0.8. A model may only raise it; default: the floor’s. */
    shareOfBaseline: z.number().gt(0).max(1),
    /** The baseline's requests by second, e.g. 50. A model may raise the floor’s, or say its own where the floor has none; default: the best release that was confirmed here. */
    baseline: z.number().positive().exactOptional(),
  }),
  /** Scans of the release and of what it was made with. */
  securityScan: z.strictObject({
    /** Days for which they count, e.g. 7. A model may only lower it; default: the floor’s. */
    validDays: Days,
    /** The least severity that fails: `low`, `medium`, `high` or `critical`; what has none fails always; e.g. `'high'`. A model may only lower it; default: the floor’s. */
    severity: Severity.exclude(['unknown']),
    /** Scans that must be there, e.g. `['artifact', 'pip-audit', 'npm-audit']`; `artifact` is Gatehouse's own. A model may only add; default: the floor’s. */
    tools: z.array(ScanTool).min(1),
    /** What does not count for a while, each with its reason. A model may add its own; default: the floor’s. */
    waivers: z.array(Waiver).max(50),
  }),
});
export type AttestationRule = z.infer<typeof AttestationRule>;
