// `node scripts/generate-docs.ts`: writes the parts of the documentation that the code says itself. A test holds what is
// committed against what this makes.
import { MACHINES } from '#domain/environment/environment.ts';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { CATALOGUE } from '#cli/catalogue/index.ts';
import type { CommandSpec } from '#cli/catalogue/spec.ts';
import { AUDIT_EVENTS, type AuditCode } from '#domain/audit/events.ts';
import { Policy } from '#domain/policy/policy.ts';
import { CONFIG_RULES, DEPLOYMENT_RULES } from '#model/config-rules.ts';
import { MODEL_RULES } from '#model/model-rules.ts';

import { resultsMarkdown } from '../bench/_report.ts';
import { dashboardPicture, dashboardTable } from './dashboard-docs.ts';
import { limitsTable, sqlLists } from './limit-docs.ts';
import { machineDiagram, parseMachine, taskTable } from './machine-docs.ts';
import { optionsTable } from './model-docs.ts';
import { operatingModelParts } from './operating-model-docs.ts';
import { deployedStacks, privilegeTable } from './privilege-docs.ts';
import { refusalsPage } from './refusal-docs.ts';

const ROOT = join(import.meta.dirname, '..');
const NOTICE = '<!-- Made by scripts/generate-docs.ts; change what it reads, not this. -->';

/** Every state machine there is, in the order in which a release meets them. */
export const MACHINE_NAMES: readonly string[] = [...new Set([...MACHINES.dev, ...MACHINES.staging, ...MACHINES.prod])];

/** The generated documents, and the documents with generated parts: their text as it should be, by path. */
export async function generatedDocs(): Promise<ReadonlyMap<string, string>> {
  const architecture = withMachines(read('docs/architecture.md'));
  const deployed = await deployedStacks();
  const operatingModel = [...(await operatingModelParts(deployed))].reduce(
    (text, [name, part]) => between(text, name, part),
    read('docs/operating-model.md'),
  );
  const options = between(read('docs/model-reference.md'), 'options', optionsTable());
  return new Map([
    ['docs/audit-events.md', auditEvents()],
    ['docs/commands.md', commands()],
    ['docs/consistency.md', consistency()],
    ['docs/policy.schema.json', policySchema()],
    ['docs/refusals.md', refusalsPage(NOTICE)],
    ['docs/model-reference.md', between(between(options, 'sql', sqlLists()), 'limits', limitsTable())],
    ['docs/architecture.md', between(architecture, 'privileges', privilegeTable(deployed))],
    ['docs/dashboard.svg', `${await dashboardPicture()}\n`],
    ['docs/operating-model.md', operatingModel],
    ['docs/operations.md', between(read('docs/operations.md'), 'dashboard', dashboardTable())],
    ['docs/performance.md', between(read('docs/performance.md'), 'results', resultsMarkdown())],
  ]);
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** What a compiled policy may say, for editors and reviewers; which way is tighter stands in `src/domain/policy/tighten.ts`. */
function policySchema(): string {
  const title = 'A compiled policy of Gatehouse: the floor, tightened by a model';
  return `${JSON.stringify({ title, ...z.toJSONSchema(Policy, { io: 'input' }) }, null, 2)}\n`;
}

function auditEvents(): string {
  const codes = Object.keys(AUDIT_EVENTS) as AuditCode[];
  const rows = codes.map((code) => {
    const { meaning, alert, details } = AUDIT_EVENTS[code];
    const when =
      alert === false
        ? ''
        : alert === true
          ? 'yes'
          : `unless \`${alert.unless[0]}\` is ${alert.unless
              .slice(1)
              .map((value) => `\`${value}\``)
              .join(' or ')}`;
    const link = when === '' ? '' : `[${when}](runbook.md#${code.toLowerCase()})`;
    return `| \`${code}\` | ${meaning} | ${link} | ${fieldsOf(details)} |`;
  });
  return `# Audit events

${NOTICE}

Everything that an audit chain can say. A record has \`seq\`, \`at\`, \`operation\`, \`code\`, \`actor\` (\`person:<user>\` or \`pipeline:<function>\`),
\`release\` (a digest or null), \`details\`, and \`previous\`, the hash of the record before it. It has at most 4 KB. Codes are never renamed. An alert
goes to the environment's topic \`alerts\` by e-mail; its article is in the [runbook](runbook.md).

| code | meaning | alert | details |
|---|---|---|---|
${rows.join('\n')}
`;
}

/** The rules by which definitions that can never pass are refused. */
function consistency(): string {
  const rows = [...MODEL_RULES, ...CONFIG_RULES, ...DEPLOYMENT_RULES].map(
    ({ id, compares, because }) => `| \`${id}\` | ${compares} | ${because} |`,
  );
  return `# What can never pass

${NOTICE}

Values that are valid by themselves can contradict each other, so that no release could ever be trained, promoted or confirmed, or that something
promised could never happen. Synthesis, \`gatehouse model check\` and \`gatehouse deploy\` (before it does anything) refuse them. A message names the rule,
each value with its file and field, and what would change it. What one file contradicts by itself is refused when that file is compiled
([definition](../src/domain/model/consistency.ts), [policy](../src/domain/policy/policy.ts)).

What is named \`labels\`, \`features\`, \`evaluation\`, \`events\` or \`windows\` stands in a model's \`model.ts\`; \`environments\` in \`gatehouse.config.ts\`; all
else in \`governance/policy.ts\` or the model's \`policy.ts\`.

| rule | compares | because |
|---|---|---|
${rows.join('\n')}

Not refused, because values alone do not say so: labels may arrive on any day until \`matureAfterDays\`, so that a probation of more days than that may have
labels enough or not; and how many rows a day has is not known at synthesis (\`minimumRows\`, \`fast.minimumLabels\`).
`;
}

/** As much of a JSON schema as the details of events use. */
const Schema = z.object({
  title: z.string().optional(),
  type: z.string().optional(),
  pattern: z.string().optional(),
  format: z.string().optional(),
  enum: z.array(z.string()).optional(),
  get anyOf() {
    return z.array(Schema).optional();
  },
  get items() {
    return Schema.optional();
  },
  get properties() {
    return z.record(z.string(), Schema).optional();
  },
});
type Schema = z.infer<typeof Schema>;

function fieldsOf(details: z.ZodType): string {
  const schema = Schema.parse(z.toJSONSchema(details, { io: 'input' }));
  return Object.entries(schema.properties ?? {})
    .map(([name, field]) => `\`${name}\` (${typeOf(field)})`)
    .join(', ');
}

function typeOf(schema: Schema): string {
  if (schema.title !== undefined) return schema.title;
  if (schema.enum !== undefined) return schema.enum.join(' or ');
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(' or ');
  switch (schema.type) {
    case 'string':
      return schema.pattern?.includes('sha256') === true ? 'digest' : schema.format === 'date-time' ? 'time' : 'text';
    case 'array':
      return `list of ${schema.items === undefined ? 'values' : typeOf(schema.items)}`;
    case 'object':
      return `{ ${Object.keys(schema.properties ?? {}).join(', ')} }`;
    default:
      return schema.type ?? 'value';
  }
}

function commands(): string {
  const groups = [...Map.groupBy(CATALOGUE, ({ group }) => group)];
  return `# Commands

${NOTICE}

\`npm run gatehouse -- <command>\`. What every command understands: \`-o table|json|yaml\`, \`--env\`, \`--profile\`, \`--models <folder>\`, \`--no-wait\`,
\`--yes\`. Exit codes: 0 done, 1 refused by a rule, 2 usage, 3 fault.

${groups.map(([group, specs]) => `## ${group.replace(':', '')}\n\n${specs.map(command).join('\n\n')}`).join('\n\n')}
`;
}

function command({ name, args, summary, required = [], options = [], examples }: CommandSpec): string {
  const heading = `### \`${name}${args === undefined ? '' : ` ${args}`}\``;
  const lines = [
    ...required.map(([flags, description]) => `- \`${flags}\` (required): ${description}`),
    ...options.map(([flags, description]) => `- \`${flags}\`: ${description}`),
  ];
  const typed = examples.map((example) => (example.includes('gatehouse ') ? example : `gatehouse ${example}`));
  return [heading, sentence(summary), lines.join('\n'), `\`\`\`sh\n${typed.join('\n')}\n\`\`\``]
    .filter((part) => part !== '')
    .join('\n\n');
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** The text with the part of each machine between its markers made anew. */
function withMachines(text: string): string {
  return MACHINE_NAMES.reduce((before, name) => {
    const machine = parseMachine(read(`statemachines/${name}.asl.json`));
    return between(before, `machine ${name}`, `${machineDiagram(machine)}\n\n${taskTable(machine)}`);
  }, text);
}

function between(text: string, name: string, part: string): string {
  const begin = `<!-- begin ${name} -->`;
  const end = `<!-- end ${name} -->`;
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`no place for "${name}": ${begin} and ${end} are missing`);
  return `${text.slice(0, from + begin.length)}\n\n${part}\n\n${text.slice(to)}`;
}

if (import.meta.main) {
  for (const [path, text] of await generatedDocs()) {
    writeFileSync(join(ROOT, path), text);
    console.log(path);
  }
}
