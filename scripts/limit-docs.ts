// What feature SQL may use, and what a model's data, SQL and training may take, for docs/model-reference.md.
import { MAX_MODEL_BYTES } from '#adapters/aws/model-archive.ts';
import { VOLUME_GB } from '#adapters/aws/training.ts';
import { SQL_LIMITS } from '#adapters/duckdb/featurizer.ts';
import { FUNCTIONS, INSTEAD, ORDERED, TABLE_FUNCTIONS, TYPES } from '#adapters/duckdb/sql-allowed.ts';
import { ENGINE_FUNCTION_MB, ENGINE_MEMORY, FEATURES_DISK_MB } from '#domain/data/engine-limits.ts';
import { ITEM_BYTES } from '#domain/limits.ts';
import { MOST_COMPARED, TRAINER_TOLERANCE } from '#domain/model/trainer-predictions.ts';
import { LONGEST_VALUE } from '#domain/model/training.ts';
import { MOST_METRICS } from '#domain/model/training-metrics.ts';
import { cell } from './model-docs.ts';

const listed = (names: Iterable<string>): string =>
  [...names]
    .toSorted()
    .map((name) => (name.includes('`') ? name : `\`${name.replaceAll('|', '\\|')}\``))
    .join(' ');

/** What SQL may use, and what to write instead of what it may not. */
export function sqlLists(): string {
  const rows = Object.entries(INSTEAD).map(([name, instead]) => `| \`${name}\` | ${cell(instead)} |`);
  const functions = [...FUNCTIONS].filter((name) => /^[a-z]/.test(name));
  const operators = [...FUNCTIONS].filter((name) => !/^[a-z]/.test(name) && !name.startsWith('!__'));
  return [
    `| refused | instead |\n|---|---|\n${rows.join('\n')}`,
    `**With an ORDER BY only** (\`f(x ORDER BY y)\`, \`f(...) OVER (ORDER BY y)\`): ${listed(ORDERED)}`,
    `**Tables from arguments**: ${listed(TABLE_FUNCTIONS)}`,
    `**Types to cast to**: ${listed([...TYPES, 'JSON'])}`,
    `<details><summary>All functions and operators that are allowed (${functions.length + operators.length})</summary>\n\n${listed(functions)}\n\nOperators: ${operators.map((name) => `<code>${name.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('|', '&#124;')}</code>`).join(' ')}\n\n</details>`,
  ].join('\n\n');
}

const MB = 1024 * 1024;

/** What a model's data, SQL and training may take. */
export function limitsTable(): string {
  const rows = [
    ['a file of SQL, on one day', `${SQL_LIMITS.milliseconds / 1000} seconds, one thread`],
    [
      'the inputs and results of a day’s SQL, together',
      `${ENGINE_MEMORY} of memory (70 % of a function of ${ENGINE_FUNCTION_MB} MB); nothing is spilled, what does not fit is refused with day, rows and limit`,
    ],
    [
      'a window’s training rows, while they are exported',
      `${FEATURES_DISK_MB} MB of disk; one day’s features in memory at a time`,
    ],
    ['a feature’s value', 'finite as a 32-bit float, or NULL'],
    [
      'files of a day',
      `as many as an entry of ${ITEM_BYTES / 1024} KB can name, by the length of their names: one for each minute fits`,
    ],
    ['the list of features as hyperparameter `features`', `${LONGEST_VALUE} characters; longer, it is left out`],
    ['`model.tar.gz`', `${MAX_MODEL_BYTES / MB} MB, packed and unpacked`],
    [
      '`metrics.json`',
      `${MOST_METRICS.bytes / 1024} KB, ${MOST_METRICS.names} numbers, names of ${MOST_METRICS.nameLength} characters; beyond that it is ignored`,
    ],
    [
      '`predictions.parquet`',
      `1 to ${MOST_COMPARED} rows; each within ${TRAINER_TOLERANCE} of what the ONNX file predicts`,
    ],
    ['`failure`', '1,024 characters are shown'],
    ['a training job’s disk', `${VOLUME_GB} GB`],
  ];
  return `| what | limit |\n|---|---|\n${rows.map(([what, limit]) => `| ${what} | ${limit} |`).join('\n')}`;
}
