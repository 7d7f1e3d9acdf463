import { describe, expect, it } from 'vitest';
import { estimateRun } from '#domain/prediction/estimate.ts';

describe('estimateRun', () => {
  it('knows nothing before a run has published something', () => {
    expect(estimateRun({ toScore: 3 }, [])).toEqual({ seconds: null, dollars: null });
    expect(estimateRun({ toScore: 3 }, [{ partitions: 0, seconds: 4 }])).toEqual({ seconds: null, dollars: null });
    expect(estimateRun({ toScore: 0 }, [])).toEqual({ seconds: 0, dollars: 0 });
  });

  it('takes what the quickest run took, and what each partition took beyond that', () => {
    const past = [
      { partitions: 0, seconds: 4 },
      { partitions: 10, seconds: 14 },
      { partitions: 30, seconds: 34 },
    ];
    expect(estimateRun({ toScore: 100 }, past).seconds).toBeCloseTo(104, 9);
    // 104 s of 4 GB, and a hundred times half a transition, two puts and four write units.
    expect(estimateRun({ toScore: 100 }, past).dollars).toBeCloseTo(
      104 * 4 * 0.0000166667 + 100 * (0.5 * 0.000025 + 2 * 0.000005 + 4 * 0.000000625),
      12,
    );
  });
});
