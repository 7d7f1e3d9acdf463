import { expect, it } from 'vitest';
import { atMost } from '#adapters/at-most.ts';

it('runs no more at once than it is told to, all of them, and goes on after a fault', async () => {
  const inTurn = atMost(3);
  let running = 0;
  let most = 0;
  const works = Array.from({ length: 20 }, (_, index) =>
    inTurn(async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => void setImmediate(resolve));
      running -= 1;
      if (index % 5 === 0) throw new Error(`fault ${index}`);
      return index;
    }),
  );
  const ended = await Promise.allSettled(works);
  expect(most).toBe(3);
  expect(ended.filter(({ status }) => status === 'rejected')).toHaveLength(4);
  expect(await inTurn(async () => 'next')).toBe('next');
});
