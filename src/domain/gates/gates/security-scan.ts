import type { Attestation } from '../../attestation/attestation.ts';
import { counting, expiryOf } from '../../attestation/counting.ts';
import { type ScanFinding, Severity } from '../../attestation/finding.ts';
import type { Waiver } from '../../policy/attestations.ts';
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
  const { tools, validDays, severity, waivers } = rule.securityScan;
  const scans = newestByTool(counting(newest, rule));
  const lacking = tools.filter((tool) => !scans.has(tool)).map((tool) => whyLacking(tool, given));
  const results = [...scans.values()].map((scan): GateResult => {
    const expires = expiryOf(scan, validDays);
    if (!(expires > now)) return inconclusive([`${said(scan)} expired at ${expires.toISOString()}`]);
    if (!isOf(scan, 'scan')) return fails([`${said(scan)} is no scan`]);
    const { reasons, ...result } = judgeScan(scan.finding, severity, waivers, now);
    return {
      ...result,
      expiresAt: expires.toISOString(),
      reasons: reasons.map((reason) => `${scan.finding.tool}: ${reason}; ${said(scan)}`),
    };
  });
  const all = [...results, ...(lacking.length === 0 ? [] : [inconclusive([...lacking, ...claims(newest, rule)])])];
  const [worst] = (['FAIL', 'INCONCLUSIVE'] as const).filter((each) => all.some(({ verdict }) => verdict === each));
  const expiries = results.flatMap(({ expiresAt }) => expiresAt ?? []).toSorted();
  const numbers = {
    scans: scans.size,
    open: sum(results, 'open'),
    waived: sum(results, 'waived'),
  };
  return {
    verdict: worst ?? 'PASS',
    reasons: all.filter(({ verdict }) => worst === undefined || verdict !== 'PASS').flatMap(({ reasons }) => reasons),
    ...(expiries[0] === undefined ? {} : { expiresAt: expiries[0] }),
    numbers,
  };
}

function newestByTool(newestFirst: readonly Attestation[]): ReadonlyMap<string, Attestation> {
  // What Gatehouse's own rules say of a release, its own task says.
  const told = newestFirst.filter(
    ({ finding, producer }) => finding.kind !== 'scan' || finding.tool !== 'artifact' || producer.kind === 'pipeline',
  );
  return new Map(told.toReversed().map((each) => [isOf(each, 'scan') ? each.finding.tool : each.format, each]));
}

function whyLacking(tool: string, { subjects }: AttestedCase): string {
  if (tool === 'artifact') return missing('security-scan', subjects, tool);
  if (subjects.commit === null) return `no commit to scan by ${tool}: ${subjects.none ?? 'none is named'}`;
  return `no scan of commit ${subjects.commit} by ${tool} counts; in CI, run: gatehouse attest security-scan --commit ${subjects.commit} --from FILE`;
}

const RANK: Readonly<Record<Severity, number>> = { low: 0, medium: 1, high: 2, critical: 3, unknown: 4 };

function judgeScan(
  { open, more, checked, suppressed }: ScanFinding,
  limit: Severity,
  waivers: readonly Waiver[],
  now: Date,
): GateResult {
  const day = now.toISOString().slice(0, 10);
  const isWaived = (id: string): boolean =>
    waivers.some((waiver) => waiver.id === id && waiver.from <= day && day <= waiver.until);
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
  if (checked === 0) return inconclusive(['nothing was checked'], numbers);
  if (open.length === 0 && suppressed > 0 && (checked === null || suppressed >= checked))
    return inconclusive([`all ${suppressed} were suppressed or skipped`], numbers);
  const waived = numbers.waived === 0 ? '' : `, ${numbers.waived} waived`;
  return { verdict: 'PASS', reasons: [`nothing of severity ${limit} or worse${waived}`], numbers };
}

function sum(results: readonly GateResult[], name: string): number {
  return results.reduce((total, { numbers }) => total + (numbers[name] ?? 0), 0);
}
