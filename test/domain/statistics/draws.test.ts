import { describe, expect, it } from 'vitest';
import { mulberry32 } from '#domain/statistics/bootstrap.ts';
import { drawBinomial } from '#domain/statistics/draws.ts';

describe('binomial counts', () => {
  it.each([
    [10, 0.3],
    [100, 0.02],
    [1000, 0.9],
    [5000, 0.04],
    [1, 0.5],
  ])('of %d trials at %f have their mean and variance, and are counts', (trials, probability) => {
    const random = mulberry32(1);
    const draws = 20_000;
    let [sum, squares] = [0, 0];
    for (let draw = 0; draw < draws; draw += 1) {
      const count = drawBinomial(trials, probability, random);
      if (!Number.isInteger(count) || count < 0 || count > trials) expect.unreachable(`${count}`);
      sum += count;
      squares += count * count;
    }
    const [mean, variance] = [trials * probability, trials * probability * (1 - probability)];
    expect(Math.abs(sum / draws - mean)).toBeLessThan(4 * Math.sqrt(variance / draws));
    expect(squares / draws - (sum / draws) ** 2).toBeGreaterThan(0.94 * variance);
    expect(squares / draws - (sum / draws) ** 2).toBeLessThan(1.06 * variance);
  });

  it.each([
    [0, 0.5, 0],
    [7, 0, 0],
    [7, 1, 7],
  ])('of %d trials at %f are %d', (trials, probability, count) => {
    expect(drawBinomial(trials, probability, mulberry32(1))).toBe(count);
  });
});
