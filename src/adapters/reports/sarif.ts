import { ARTIFACT_SCAN } from '#domain/policy/attestations.ts';
import { z } from 'zod';
import type { Severity } from '#domain/attestation/finding.ts';
import { type Reading, type Refused, refused, said, shaped } from './reading.ts';
import { bySeverity, scanFinding, severityOfScore, type Vulnerability } from './severity.ts';

/** How many tools one report may have. */
const TOOLS = 8;

const RuleId = z.string().max(200);
const Level = z.enum(['none', 'note', 'warning', 'error']);
const Rule = z.object({
  id: RuleId,
  defaultConfiguration: z.object({ level: Level.optional() }).optional(),
  properties: z.object({ 'security-severity': z.union([z.string(), z.number()]).optional() }).optional(),
});
type Rule = z.infer<typeof Rule>;
const Component = z.object({ name: z.string(), rules: z.array(Rule).optional() });

const Result = z.object({
  ruleId: RuleId.optional(),
  ruleIndex: z.int().min(-1).optional(),
  rule: z
    .object({
      id: RuleId.optional(),
      index: z.int().min(-1).optional(),
      toolComponent: z.object({ index: z.int().min(-1).optional() }).optional(),
    })
    .optional(),
  kind: z.enum(['pass', 'open', 'informational', 'notApplicable', 'review', 'fail']).optional(),
  level: Level.optional(),
  baselineState: z.enum(['new', 'unchanged', 'updated', 'absent']).optional(),
  suppressions: z.array(z.object({ status: z.enum(['accepted', 'underReview', 'rejected']).optional() })).nullish(),
  locations: z
    .array(
      z.object({
        physicalLocation: z
          .object({
            artifactLocation: z.object({ uri: z.string().optional() }).optional(),
            region: z.object({ startLine: z.int().positive().optional() }).optional(),
          })
          .optional(),
      }),
    )
    .optional(),
});
type Result = z.infer<typeof Result>;

const Run = z.object({
  tool: z.object({ driver: Component, extensions: z.array(Component).optional() }),
  invocations: z.array(z.object({ executionSuccessful: z.boolean() })).optional(),
  results: z.array(Result).nullish(),
  externalPropertyFileReferences: z.object({ results: z.unknown() }).partial().optional(),
});
type Run = z.infer<typeof Run>;

interface Scanned {
  checked: number | null;
  readonly found: Vulnerability[];
  suppressed: number;
}

/**
 * SARIF 2.1.0, one finding for each tool, in the order of its first run.
 * Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html; the scores as in
 * https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
 */
export function readSarif(value: unknown): Reading {
  const head = shaped(z.object({ version: z.unknown() }).partial(), value, 'SARIF');
  if (head.kind === 'refused') return head;
  if (head.value.version !== '2.1.0')
    return refused(
      'report-version',
      `SARIF of version ${JSON.stringify(head.value.version) ?? 'none'}`,
      'write SARIF 2.1.0',
    );
  const log = shaped(z.object({ runs: z.array(Run) }), value, 'SARIF');
  if (log.kind === 'refused') return log;
  if (log.value.runs.length === 0) return refused('report-complete', 'SARIF: runs is empty', 'scan something');

  const tools = new Map<string, Scanned>();
  for (const [index, run] of log.value.runs.entries()) {
    const where = `SARIF, runs.${index}`;
    const name = run.tool.driver.name.toLowerCase();
    if (!/^[a-z0-9][a-z0-9 ._-]{0,59}$/.test(name))
      return refused('report-format', `${where}: the tool is ${name}`, 'name it by letters, digits, dots and dashes');
    if (OTHERS.has(name))
      return refused('report-format', `${where}: ${name} writes no SARIF here`, 'send its own report');
    const scanned = tools.get(name) ?? { checked: 0, found: [], suppressed: 0 };
    tools.set(name, scanned);
    const wrong = readRun(run, where, scanned);
    if (wrong !== undefined) return wrong;
  }
  if (tools.size > TOOLS)
    return refused('report-fits', `SARIF of ${tools.size} tools, at most ${TOOLS}`, 'attest them in several files');
  return said(
    ...[...tools].map(([tool, { checked, found, suppressed }]) => scanFinding(tool, checked, found, suppressed)),
  );
}

/** Tools that report in a format of their own. */
const OTHERS = new Set([ARTIFACT_SCAN, 'pip-audit', 'npm-audit']);

function readRun(run: Run, where: string, into: Scanned): Refused | undefined {
  if (run.invocations?.some(({ executionSuccessful }) => !executionSuccessful) === true)
    return refused('report-complete', `${where}: the scan failed`, 'scan again');
  if (!Array.isArray(run.results) || run.externalPropertyFileReferences?.results !== undefined)
    return refused(
      'report-complete',
      `${where}: the results are not there`,
      'write the results into the report itself',
    );
  const components = [run.tool.driver, ...(run.tool.extensions ?? [])];
  const rules = components.flatMap((component) => component.rules ?? []);
  // A tool that describes only the rules that found something does not say how many it checked.
  into.checked = into.checked === null || rules.length === 0 ? null : into.checked + rules.length;
  const scores = new Map<Rule, Severity>();
  for (const rule of rules) {
    const severity = scoredSeverity(rule);
    if (severity === null)
      return refused('report-consistent', `${where}: the security-severity of ${rule.id} is no number from 0 to 10`);
    if (severity !== undefined) scores.set(rule, severity);
  }
  const byId = rulesById(components[0]?.rules ?? []);
  const byAnyId = rulesById(rules);
  for (const [index, result] of run.results.entries()) {
    if (!isOfConcern(result)) continue;
    const id = result.ruleId ?? result.rule?.id;
    const position = result.ruleIndex ?? result.rule?.index ?? -1;
    const component = components[(result.rule?.toolComponent?.index ?? -1) + 1];
    const indexed = position < 0 ? undefined : component?.rules?.[position];
    if (component === undefined || (position >= 0 && indexed === undefined))
      return refused('report-consistent', `${where}, results.${index}: there is no rule ${position}`);
    if (indexed !== undefined && id !== undefined && !isOfRule(id, indexed.id))
      return refused('report-consistent', `${where}, results.${index}: rule ${position} is ${indexed.id}, not ${id}`);
    const rule = indexed ?? (id === undefined ? undefined : (ruleOf(id, byId) ?? ruleOf(id, byAnyId)));
    if (isSuppressed(result)) into.suppressed += 1;
    else
      into.found.push({
        id: id ?? rule?.id ?? 'no rule',
        severity: (rule && scores.get(rule)) ?? severityOfLevel(result, rule),
        of: placeOf(result),
      });
  }
  return undefined;
}

/** Of rules with the same id the worst counts, so that no second description makes a result milder. */
function rulesById(rules: readonly Rule[]): ReadonlyMap<string, Rule> {
  const worst = new Map<string, Rule>();
  for (const rule of rules) {
    const known = worst.get(rule.id);
    if (known === undefined || bySeverity(severityOf(rule), severityOf(known)) < 0) worst.set(rule.id, rule);
  }
  return worst;
}

const severityOf = (rule: Rule): Severity => scoredSeverity(rule) ?? severityOfLevel({}, rule);

/** A result may be of a part of a rule: `CA1000/1` of `CA1000`. */
const isOfRule = (id: string, rule: string): boolean => id === rule || id.startsWith(`${rule}/`);

function ruleOf(id: string, rules: ReadonlyMap<string, Rule>): Rule | undefined {
  for (let part = id; part !== ''; part = part.slice(0, Math.max(0, part.lastIndexOf('/')))) {
    const rule = rules.get(part);
    if (rule !== undefined) return rule;
  }
  return undefined;
}

/** The severity by the rule's score; undefined without one, null where it is none. */
function scoredSeverity({ properties }: Rule): Severity | undefined | null {
  const score = properties?.['security-severity'];
  if (score === undefined) return undefined;
  if (typeof score === 'string' && !/^\d{1,2}(\.\d{1,9})?$/.test(score)) return null;
  const number = Number(score);
  return number >= 0 && number <= 10 ? severityOfScore(number) : null;
}

function severityOfLevel({ level }: Pick<Result, 'level'>, rule: Rule | undefined): Severity {
  switch (level ?? rule?.defaultConfiguration?.level ?? 'warning') {
    case 'error':
      return 'high';
    case 'warning':
      return 'medium';
    case 'note':
      return 'low';
    case 'none':
      return 'unknown';
  }
}

/** Not of concern is what the tool says is well, or is no longer there. */
function isOfConcern({ kind, baselineState }: Result): boolean {
  return !['pass', 'notApplicable', 'informational'].includes(kind ?? 'fail') && baselineState !== 'absent';
}

/** Section 3.27.23: a suppression that is rejected or not decided yet suppresses nothing. */
function isSuppressed({ suppressions }: Result): boolean {
  const all = suppressions ?? [];
  return all.length > 0 && all.every(({ status }) => status === undefined || status === 'accepted');
}

function placeOf({ locations }: Result): string {
  const place = locations?.[0]?.physicalLocation;
  const uri = place?.artifactLocation?.uri ?? '';
  const line = place?.region?.startLine;
  return line === undefined ? uri : `${uri.slice(-(59 - String(line).length))}:${line}`;
}
