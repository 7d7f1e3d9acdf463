import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { written } from '#runtime/written.ts';

it('waits until a text has left the process, also by a pipe that is full', async () => {
  const pipe = new PassThrough({ highWaterMark: 10, writableHighWaterMark: 10 });
  const told: string[] = [];
  const first = written(pipe, 'a'.repeat(100)).then(() => told.push('first'));
  const second = written(pipe, 'b').then(() => told.push('second'));
  await new Promise((resolve) => setImmediate(resolve));
  expect(told).not.toContain('second');
  pipe.resume();
  await Promise.all([first, second]);
  expect(told).toEqual(['first', 'second']);
});

it('says where it cannot be written', async () => {
  const pipe = new PassThrough();
  pipe.on('error', () => undefined);
  pipe.destroy(new Error('the reader has gone'));
  await expect(written(pipe, 'a')).rejects.toThrow();
});
