import type { Attestation } from '../../attestation/attestation.ts';
import { counting, expiryOf } from '../../attestation/counting.ts';
import { type ScanFinding, Severity } from '../../attestation/finding.ts';
import { ARTIFACT_SCAN, type Waiver } from '../../policy/attestations.ts';
import { type AttestedCase, claims, fails, inconclusive, isOf, missing, said } from '../attested.ts';
import type { GateRemedy, GateResult } from '../gate.ts';

/** What would turn its verdict. */
export const securityScanRemedy: GateRemedy = (verdict) =>
  verdict === 'FAIL'
    ? 'update what is vulnerable and train anew, or waive it for some days in the policy, with a reason'
    : 'let staging and CI scan it: gatehouse attest security-scan --release REL --env staging';

/** Is nothing known against the release, its code and its dependencies that the policy does not tolerate? */
export function securityScan(given: AttestedCase): GateResult {
  const { newest, rule, now } = given;
  const { tools } = rule.securityScan;
  const scans = counting(newest, rule).filter(isOfItsSubject);
  const judged = scans.map((scan) => ({ tool: toolOf(scan), ...judgeOne(scan, given) }));
  // What is fresh replaces what has expired; nobody has to repeat a clean scan that nobody asks for.
  const results = judged.filter(
    ({ isFresh, result, tool }) =>
      isFresh ||
      result.verdict === 'FAIL' ||
      (tools.includes(tool) && !judged.some((other) => other.isFresh && other.tool === tool)),
  );
  const lacking = tools
    .filter((tool) => judged.every((each) => each.tool !== tool))
    .map((tool) => whyLacking(tool, given));
  const all = [
    ...results.map(({ result, isFresh, expiry }) =>
      isFresh ? result : inconclusive([`${result.reasons.join('; ')}; expired at ${expiry}`]),
    ),
    ...(lacking.length === 0 ? [] : [inconclusive([...lacking, ...claims(newest, rule)])]),
  ];
  const [worst] = (['FAIL', 'INCONCLUSIVE'] as const).filter((each) => all.some(({ verdict }) => verdict === each));
  const [expiresAt] = [
    ...results.map(({ expiry }) => expiry),
    ...waiversEnd(rule.securityScan.waivers, now),
  ].toSorted();
  return {
    verdict: worst ?? 'PASS',
    reasons: all.filter(({ verdict }) => worst === undefined || verdict !== 'PASS').flatMap(({ reasons }) => reasons),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    numbers: { scans: results.length, open: sum(all, 'open'), waived: sum(all, 'waived') },
  };
}

const toolOf = (scan: Attestation): string => (isOf(scan, 'scan') ? scan.finding.tool : scan.format);

/** What Gatehouse's own rules say of a release, its own task says; what is scanned besides is the commit that it was made from. */
function isOfItsSubject(scan: Attestation): boolean {
  return toolOf(scan) === ARTIFACT_SCAN
    ? scan.producer.kind === 'pipeline' && scan.subject.kind === 'release'
    : scan.subject.kind === 'commit';
}

function judgeOne(scan: Attestation, { rule: { securityScan: rule }, now }: AttestedCase) {
  const expires = expiryOf(scan, rule.validDays);
  const result = isOf(scan, 'scan')
    ? judgeScan(scan.finding, rule.severity, rule.waivers, now)
    : fails([`${scan.format} is no scan`]);
  const reasons = result.reasons.map((reason) => `${toolOf(scan)}: ${reason}; ${said(scan)}`);
  return { isFresh: expires > now, expiry: expires.toISOString(), result: { ...result, reasons } };
}

/** When the waivers that count now end: a verdict that rests on one does not outlive it. */
function waiversEnd(waivers: readonly Waiver[], now: Date): readonly string[] {
  const day = now.toISOString().slice(0, 10);
  return waivers
    .filter(({ from, until }) => from <= day && day <= until)
    .map(({ until }) => new Date(Date.parse(until) + 86_400_000).toISOString());
}

function whyLacking(tool: string, { subjects }: AttestedCase): string {
  if (tool === ARTIFACT_SCAN) return missing('security-scan', subjects, tool);
  if (subjects.commit === null) return `no commit to scan by ${tool}: ${subjects.none ?? 'none is named'}`;
  return `no scan of commit ${subjects.commit} by ${tool} counts; in CI, run: gatehouse attest security-scan --commit ${subjects.commit} --from FILE`;
}

const RANK: Readonly<Record<Severity, number>> = { low: 0, medium: 1, high: 2, critical: 3, unknown: 4 };

function judgeScan(
  { tool, open, more, checked, suppressed }: ScanFinding,
  limit: Severity,
  waivers: readonly Waiver[],
  now: Date,
): GateResult {
  const day = now.toISOString().slice(0, 10);
  const isWaived = (id: string): boolean =>
    waivers.some((waiver) => waiver.tool === tool && waiver.id === id && waiver.from <= day && day <= waiver.until);
  const grave = open.filter(({ severity }) => RANK[severity] >= RANK[limit]);
  const counted = grave.filter(({ id }) => !isWaived(id));
  const numbers = { open: counted.length, waived: grave.length - counted.length };
  // The worst stand first: where the last that is named is below the limit, so are those that are not.
  const last = open.at(-1);
  const unnamed = more > 0 && (last === undefined || RANK[last.severity] >= RANK[limit]);
  if (counted.length > 0 || unnamed) {
    const names = counted.map(({ id, severity, of }) => `${id} (${severity}${of === '' ? '' : `, ${of}`})`);
    return fails([[...names, ...(unnamed ? [`${more} more that the record does not name`] : [])].join(', ')], numbers);
  }
  if (checked === 0 || (checked === null && open.length === 0))
    return inconclusive(['the report does not say that anything was checked'], numbers);
  if (open.length === 0 && suppressed > 0 && (checked === null || suppressed >= checked))
    return inconclusive([`all ${suppressed} were suppressed or skipped`], numbers);
  const waived = numbers.waived === 0 ? '' : `, ${numbers.waived} waived`;
  return { verdict: 'PASS', reasons: [`nothing of severity ${limit} or worse${waived}`], numbers };
}

function sum(results: readonly GateResult[], name: string): number {
  return results.reduce((total, { numbers }) => total + (numbers[name] ?? 0), 0);
}
