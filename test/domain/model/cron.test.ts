import { expect, it } from 'vitest';
import { cronProblem } from '#domain/model/cron.ts';

it.each([
  'cron(0 6 ? * MON *)',
  'cron(15 10 ? * 6L 2022-2033)',
  'cron(0/5 8-17 ? * MON-FRI *)',
  'cron(0 0 1,15 * ? *)',
  'cron(0 0 L JAN-MAR ? *)',
  'rate(1 day)',
  'rate(12 hours)',
  'cron(0 9 ? * 2#1 *)',
  'cron(0 6 ? * MON#5 *)',
  'cron(0 6 15W * ? *)',
  'cron(0 6 LW * ? *)',
  'cron(0 6 ? * FRIL *)',
  'rate(1 hour)',
  'rate(10 minutes)',
])('accepts %s', (expression) => {
  expect(cronProblem(expression)).toBeUndefined();
});

it.each([
  'cron(0 6 * * * *)',
  'cron(0 6 ? * ? *)',
  'cron(60 6 ? * MON *)',
  'cron(0 24 ? * MON *)',
  'cron(0 6 32 * ? *)',
  'cron(0 6 ? * MUN *)',
  'cron(0 6 ? * MON)',
  'cron()',
  'rate(0 days)',
  'rate(1 fortnight)',
  'cron(0 6, ? * MON *)',
  'cron(1-2-3 6 ? * MON *)',
  'cron(0/0 6 ? * MON *)',
  'cron(0 6 45W * ? *)',
  'cron(0 6 0W * ? *)',
  'cron(0 6 ? * XYZ#1 *)',
  'cron(0 6 ? * MON#6 *)',
  'cron(0 6 ? * ?,MON *)',
  'cron(0 6 L,15 * ? *)',
  'cron(0 6 ? * MON/2 *)',
  'rate(1 hours)',
  'rate(5 minute)',
])('refuses %s', (expression) => {
  expect(cronProblem(expression)).toBeTypeOf('string');
});
