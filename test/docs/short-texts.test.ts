import { expect, it } from 'vitest';
import { CATALOGUE } from '#cli/catalogue/index.ts';
import { AUDIT_EVENTS } from '#domain/audit/events.ts';
import { FAULTS } from '#domain/faults.ts';
import { RULES } from '#domain/refusal/refusal.ts';

const MOST_WORDS = 20;

it('meanings, remedies and summaries have at most twenty words', () => {
  const texts = [
    ...Object.entries(RULES).flatMap(([id, { meaning, remedy }]) => [
      [id, meaning],
      [id, remedy ?? ''],
    ]),
    ...Object.entries(FAULTS).map(([code, { meaning }]) => [code, meaning]),
    ...Object.entries(AUDIT_EVENTS).map(([code, { meaning }]) => [code, meaning]),
    ...CATALOGUE.map(({ name, summary }) => [name, summary]),
  ];
  expect(texts.filter(([, text = '']) => text.split(/\s+/).length > MOST_WORDS)).toEqual([]);
});
