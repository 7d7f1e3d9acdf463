import { describe, expect, it } from 'vitest';
import { falseAborts } from '#cli/commands/canary/by-entity.ts';
import { main } from '#cli/program.ts';
import { planCanary } from '#domain/canary/power.ts';
import { silentTerminal } from '../_helpers/terminal.ts';

/** Types the command, without any cloud. */
async function simulate(...options: readonly string[]) {
  const terminal = silentTerminal({});
  const code = await main(['canary', 'simulate', ...options], terminal);
  return { code, out: terminal.shown.out, err: terminal.shown.err };
}

const ENOUGH = ['--rate', '0.5', '--error-rate', '0.02', '--share', '0.1'];
const TOO_LITTLE = ['--rate', '0.1', '--error-rate', '0.001', '--share', '0.1'];

describe('canary simulate', () => {
  it('says how long it takes, the power and the false aborts of a traffic that suffices', async () => {
    const { code, out } = await simulate(...ENOUGH);
    expect(code).toBe(0);
    expect(out).toContain('0.5 requests/s for 24 h, 10 % of them to the candidate: 4320 of 43200 requests');
    expect(out).toContain('errors: 2.00 % of the champion’s requests; to be found are 3.92 %, twice the champion’s');
    expect(out).toMatch(/like the champion\s+2\.00 %\s+\d\.\d %\s+9\d\.\d %\s+\d\.\d %\s+\S+( h)?\s+\d+\.\d h/);
    expect(out).toMatch(/bad\s+3\.92 %\s+(100|9\d)\.\d %\s+0\.\d %/);
    expect(out).toMatch(
      /a canary of this traffic can start: (100|9\d)\.\d % of bad candidates are found in 24 h, needed are 90\.0 %/,
    );
    expect(out).toMatch(/is aborted in \d\.\d % of the canaries; by proof in at most 1 %/);
    expect(out).not.toContain('what helps');
  });

  it('says what would help where it does not suffice', async () => {
    const { code, out } = await simulate(...TOO_LITTLE);
    expect(code).toBe(0);
    expect(out).toMatch(/a canary of this traffic does not start: \d\d\.\d % of bad candidates/);
    expect(out).toMatch(
      /what helps:\n {2}48 h with a share of 10 %: 9\d\.\d % of them are found\n {2}24 h with a share of 20 %: 9\d\.\d %/,
    );
  });

  it('says so where nothing that was tried helps', async () => {
    const { out } = await simulate('--rate', '0.0001', '--error-rate', '0.02', '--share', '0.1');
    expect(out).toMatch(/what helps:\n {2}no longer or larger canary that was tried; a shadow/);
  });

  it('prints the same numbers each time, as JSON as well', async () => {
    const [first, second] = [await simulate(...ENOUGH, '-o', 'json'), await simulate(...ENOUGH, '-o', 'json')];
    expect(first.out).toBe(second.out);
    const plan = {
      requestsPerSecond: 0.5,
      errorRate: 0.02,
      share: 0.1,
      hours: 24,
      toleratedErrorRate: 0.01,
      power: 0.9,
    };
    expect(JSON.parse(first.out)).toEqual({
      ...planCanary(plan),
      falseAbortsAtMost: 0.01,
      runs: 400,
      seed: 19,
      assignment: 'event',
      warning: null,
    });
  });

  it('looks for the rate that is given', async () => {
    const { out } = await simulate(
      '--rate',
      '1',
      '--error-rate',
      '0.001',
      '--share',
      '0.1',
      '--hours',
      '2',
      '--bad-rate',
      '0.05',
    );
    expect(out).toContain('to be found are 5.00 %\n');
    expect(out).toContain('can start');
  });

  it.each([
    [['--rate', '0', '--error-rate', '0.02', '--share', '0.1'], /rate: requests per second, above 0/],
    [['--rate', 'many', '--error-rate', '0.02', '--share', '0.1'], /rate/],
    [['--rate', '1', '--error-rate', '2', '--share', '0.1'], /error-?rate: a share, from 0 to below 0\.5/i],
    [['--rate', '1', '--error-rate', '0.02', '--share', '0.6'], /share: above 0 and at most 0\.5/],
    [[...ENOUGH, '--hours', '1000'], /hours: at most 168 hours/],
    [[...ENOUGH, '--bad-rate', '0.01'], /--bad-rate 0\.01 is not above --error-rate 0\.02/],
    [['--rate', '1', '--share', '0.1'], /--error-rate/],
  ])('refuses %j as usage, and names the option', async (options, said) => {
    const { code, err, out } = await simulate(...options);
    expect(code).toBe(2);
    expect(err).toMatch(said);
    expect(out).toBe('');
  });

  it('shows its examples', async () => {
    const { out } = await simulate('--help');
    expect(out).toContain('$ gatehouse canary simulate --rate 5 --error-rate 0.02 --share 0.1');
  });

  it('warns of assignment by entity with the figures of the bench', async () => {
    const { code, out } = await simulate(...ENOUGH, '--assignment', 'entity');
    const measured = (await falseAborts())['by entity with heavy users whose error rates differ'];
    expect(code).toBe(0);
    expect(measured).toBeGreaterThan(1);
    expect(out).toContain(`${measured} % by entity with heavy users whose error rates differ`);
    expect((await simulate(...ENOUGH)).out).not.toContain('WARNING');
    expect((await simulate(...ENOUGH, '--assignment', 'day')).code).toBe(2);
  });
});
