import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { compileCard, compilePolicy } from '#model/compile-deployment.ts';
import { compileExpectations } from '#model/suites.ts';
import floor from '../../../governance/policy.ts';
import { folderOf, removeFolders, valid } from './_compile.ts';

afterAll(removeFolders);

describe('compileCard', () => {
  it('reads what a model’s people say of it, where they do', async () => {
    const folder = await folderOf(valid);
    expect(await compileCard(folder)).toEqual({});
    const card = { intendedUse: ['to be tried'], limits: ['it is made up'] };
    await writeFile(join(folder, 'card.ts'), `export default ${JSON.stringify(card)};`);
    expect(await compileCard(folder)).toEqual({ card });
  });

  it('names the field that is wrong', async () => {
    const folder = await folderOf(valid);
    await writeFile(join(folder, 'card.ts'), `export default { intendedUse: 'a sentence', limits: [] };`);
    await expect(compileCard(folder)).rejects.toThrow(/models\/model-\d+\/card\.ts is not valid: intendedUse: .*array/);
  });

  it('names a heading that it does not know, and the nearest known one', async () => {
    const folder = await folderOf(valid);
    await writeFile(join(folder, 'card.ts'), `export default { intendedUse: ['a'], limits: ['b'], ethic: ['c'] };`);
    await expect(compileCard(folder)).rejects.toThrow('(root): no field ethic; did you mean ethics?');
  });

  it('compiles those of this repository', async () => {
    const { card } = await compileCard(join(import.meta.dirname, '../../../models/flight-delay'));
    expect(card?.limits.join(' ')).toContain('5,817');
  });
});

describe('compilePolicy', () => {
  it.each([
    [{ comparision: { minimumDays: 14 } }, '(root): no field comparision; did you mean comparison?'],
    [{ comparison: { minimumDay: 14 } }, 'comparison: no field minimumDay; did you mean minimumDays?'],
    [{ comparison: { slices: { colums: ['a'] } } }, 'comparison.slices: no field colums; did you mean columns?'],
    [{ comparison: { guards: { brierr: 0.01 } } }, 'comparison.guards: no field brierr; did you mean brier?'],
    [{ comparison: { provisional: { tolerence: 0 } } }, 'comparison.provisional: no field tolerence; did you mean'],
    [{ data: { leakageAUC: 0.7 } }, 'data: no field leakageAUC; did you mean leakageAuc?'],
    [{ data: { rowCounts: { weeks: 9 } } }, 'data.rowCounts: no field weeks'],
    [{ drift: { stabel: ['amount'] } }, 'drift: no field stabel; did you mean stable?'],
    [{ transitions: { prd: {} } }, 'transitions: no field prd; did you mean prod?'],
    [{ transitions: { prod: { aprovals: [] } } }, 'transitions.prod: no field aprovals; did you mean approvals?'],
    [{ transitions: { prod: { probation: { fast: { hour: 1 } } } } }, 'transitions.prod.probation.fast: no field hour'],
    [{ transitions: { hotfix: { approvalHour: 1 } } }, 'transitions.hotfix: no field approvalHour'],
    [{ activation: [{ role: 'risk', cout: 2 }] }, 'activation.0: no field cout; did you mean count?'],
    [{ comparison: { minimumDays: '14' } }, 'comparison.minimumDays: Invalid input: expected number'],
  ])('refuses %j, whose tightening would never exist', async (own, found) => {
    const folder = await folderOf(valid);
    await writeFile(join(folder, 'policy.ts'), `export default ${JSON.stringify(own)};`);
    await expect(compilePolicy(folder, floor)).rejects.toThrow(/models\/model-\d+\/policy\.ts is not valid: /);
    await expect(compilePolicy(folder, floor)).rejects.toThrow(found);
  });
});

describe('compileExpectations', () => {
  const unique = { type: 'expect_column_values_to_be_unique', kwargs: { column: 'a' }, meta: { notes: 'why' } };
  const suite = { name: 'events', meta: { great_expectations_version: '1.24.1' }, expectations: [unique] };
  const of = (...expectations: readonly object[]): string => JSON.stringify({ ...suite, expectations }, null, 1);
  const wrong: readonly (readonly [string, string, string])[] = [
    ['broken JSON', '{\n "name": "events",\n}', '3: no JSON: Expected double-quoted property name'],
    ['half a file', '{\n "name": "events",\n "expectations": [', '3: no JSON: Unexpected end of JSON input'],
    [
      'a key that is there twice',
      '{\n "name": "a",\n "name": "b",\n "expectations": []\n}',
      '3: Map keys must be unique',
    ],
    [
      'a field that nobody reads',
      `{\n "expectatons": [],\n "name": "a"\n}`,
      '2: (root): no field expectatons; did you mean expectations?',
    ],
    ['parameters', `{"suite_parameters": {}, "name": "a", "expectations": []}`, '1: (root): no field suite_parameters'],
    ['mostly beside kwargs', of({ ...unique, mostly: 0.9 }), '15: expectations.0: no field mostly'],
    ['no expectation', of(), 'Too small'],
    [
      'an unknown expectation',
      of(unique, { type: 'expect_column_values_to_be_betwen', kwargs: { column: 'a' } }),
      '17: Great Expectations 1.24.1 has no expect_column_values_to_be_betwen; did you mean expect_column_values_to_be_between?',
    ],
    [
      'an expectation of a database',
      of({ type: 'expect_column_values_to_match_like_pattern', kwargs: { column: 'a', like_pattern: 'x%' } }),
      'expect_column_values_to_match_like_pattern does not run on pandas',
    ],
    [
      'an unknown argument',
      of({ type: 'expect_column_values_to_be_between', kwargs: { column: 'a', minimum: 0, max_value: 2 } }),
      '11: expect_column_values_to_be_between: kwargs: no field minimum; there are: ',
    ],
    [
      'a misspelled argument and a missing one',
      of({ type: 'expect_column_values_to_be_unique', kwargs: { colum: 'a' } }),
      'kwargs has no column, which is required\nmodels/NAME/expectations/events.json:10: expect_column_values_to_be_unique: kwargs: no field colum; did you mean column?',
    ],
    [
      'a share above one',
      of({ ...unique, kwargs: { column: 'a', mostly: 5 } }),
      'mostly is 5; it takes a number from 0 to 1',
    ],
    [
      'a bound that is a text',
      of({ type: 'expect_column_values_to_be_between', kwargs: { column: 'a', min_value: 'low' } }),
      'min_value is "low"; it takes a number or a date',
    ],
    ['a column that is a number', of({ ...unique, kwargs: { column: 3 } }), 'column is 3; it takes a text'],
    [
      'a word that is none of those known',
      of({ type: 'expect_compound_columns_to_be_unique', kwargs: { column_list: ['a', 'b'], ignore_row_if: 'no' } }),
      'ignore_row_if is "no"; it takes all_values_are_missing or any_value_is_missing or never',
    ],
  ];
  it.each(wrong)('refuses %s by file and line', async (_, text, found) => {
    const folder = await folderOf(valid);
    await mkdir(join(folder, 'expectations'));
    const file = join(folder, 'expectations/events.json');
    await writeFile(file, JSON.stringify(suite));
    expect(compileExpectations(folder).events).toContain('expect_column_values_to_be_unique');
    await writeFile(file, text);
    expect(() => compileExpectations(folder)).toThrow(/^models\/model-\d+\/expectations\/events\.json:\d+: /);
    expect(() => compileExpectations(folder)).toThrow(found.replace('NAME', basename(folder)));
  });

  it.each([
    [
      'a condition as the package writes it',
      { ...unique, kwargs: { column: 'a', row_condition: { type: 'pass_through', pass_through_filter: 'b > 5' } } },
    ],
    [
      'types, which it evaluates on pandas',
      { type: 'expect_column_values_to_be_in_type_list', kwargs: { column: 'a', type_list: ['int64'] } },
    ],
  ])('takes %s', async (_, expectation) => {
    const folder = await folderOf(valid);
    await mkdir(join(folder, 'expectations'));
    await writeFile(join(folder, 'expectations/events.json'), of(expectation));
    expect(compileExpectations(folder).events).toContain(expectation.type);
  });

  it('refuses a suite whose file nobody reads', async () => {
    const folder = await folderOf(valid);
    await mkdir(join(folder, 'expectations'));
    await writeFile(join(folder, 'expectations/event.json'), JSON.stringify(suite));
    expect(() => compileExpectations(folder)).toThrow(
      'event.json: no suite of this name is read; did you mean events.json?',
    );
  });
});
