import { z } from 'zod';
import { SeenText } from '../text.ts';

/** What DynamoDB keeps as it is, and no measurement exceeds. */
const MOST = 1e9;
const Count = z.int().nonnegative().max(MOST);
/** A measured number: no store takes any number, and nobody measures less than a millionth. */
const Measured = z
  .number()
  .nonnegative()
  .max(MOST)
  .refine((value) => value === 0 || value >= 1e-6, 'at least a millionth');
const Name = SeenText.min(1).max(140);

/** How bad a vulnerability is. Where a report does not say, it is `unknown`, which no limit lets pass. */
export const Severity = z.enum(['low', 'medium', 'high', 'critical', 'unknown']);
export type Severity = z.infer<typeof Severity>;

/** What a run of tests came to. */
export const TestFinding = z.strictObject({
  kind: z.literal('tests'),
  passed: Count,
  /** Failures and errors. */
  failed: Count,
  skipped: Count,
  /** The first names of what failed. */
  failures: z.array(Name).max(8),
});
export type TestFinding = z.infer<typeof TestFinding>;

/** What a run of load came to: rates by second, latencies in milliseconds, of answered requests. */
export const LoadFinding = z.strictObject({
  kind: z.literal('load'),
  requests: Count,
  /** Requests without an answer, and answers that are errors. */
  failed: Count,
  seconds: Measured,
  /** Answered requests by second. */
  throughput: Measured,
  /** Percentiles of the latency; null where the report has none. */
  latencyMs: z.strictObject({ p50: Measured.nullable(), p99: Measured.nullable() }),
});
export type LoadFinding = z.infer<typeof LoadFinding>;

/** What a scan came to. */
export const ScanFinding = z.strictObject({
  kind: z.literal('scan'),
  /** What scanned: `pip-audit`, `npm-audit`, or the name of the SARIF's tool. */
  tool: z.string().regex(/^[a-z0-9][a-z0-9 ._-]{0,59}$/, 'a tool is named in small letters'),
  /** Dependencies or rules that were checked; null where the report does not say. */
  checked: Count.nullable(),
  /** What was found and is not suppressed, the worst first. */
  open: z.array(z.strictObject({ id: z.string().min(1).max(40), severity: Severity, of: z.string().max(60) })).max(12),
  /** How many more there are than `open` names. */
  more: Count,
  /** What the report itself says is suppressed, or skipped. */
  suppressed: Count,
});
export type ScanFinding = z.infer<typeof ScanFinding>;

/** A commit of git, by its hash. */
export const Commit = z.string().regex(/^[0-9a-f]{40}$/, 'a commit has 40 hex digits');

/** A commit and the tree of files that it has. */
const Tree = z.strictObject({ commit: Commit, tree: Commit });

/** The newest word of each reviewer on what, and what was merged: the same of a forge's accounts and of control's people. */
const review = <By extends z.ZodType, More extends z.ZodRawShape>(by: By, most: number, more: More) => ({
  /** Where the review took place. */
  url: z.string().max(200),
  authors: z.array(by).min(1).max(10),
  reviews: z
    .array(
      z.strictObject({
        by,
        state: z.enum(['approved', 'changes-requested']),
        /** The commit that was reviewed. */
        head: Commit,
        ...more,
      }),
    )
    .max(most),
  /** The last commit of the branch that was merged. */
  head: Tree,
  /** The commit that the merge made. */
  merged: Tree,
});

/** How many reviewers a record names. */
export const MOST_REVIEWS = 8;

/** Who reviewed what, by the names of control's people, each reviewer with the roles that the directory had then. */
export const ReviewFinding = z.strictObject({
  kind: z.literal('review'),
  ...review(Name, MOST_REVIEWS, { roles: z.array(z.string().min(1).max(40)).max(8) }),
});
export type ReviewFinding = z.infer<typeof ReviewFinding>;

/** An account of a forge: its login, and an e-mail address only where the forge has verified it. */
export const ForgeAccount = z.strictObject({
  login: SeenText.min(1).max(80).nullable(),
  email: z.email().max(120).nullable(),
  isRobot: z.boolean(),
});
export type ForgeAccount = z.infer<typeof ForgeAccount>;

/** A review as a forge tells it. */
export const ForgeReview = z.strictObject({ kind: z.literal('forge-review'), ...review(ForgeAccount, 100, {}) });
export type ForgeReview = z.infer<typeof ForgeReview>;

/** What an attested report says, in the terms that its gate judges. */
export const Finding = z.discriminatedUnion('kind', [TestFinding, LoadFinding, ScanFinding, ReviewFinding]);
export type Finding = z.infer<typeof Finding>;
