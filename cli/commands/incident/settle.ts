import { z } from 'zod';
import { SeenText } from '#domain/text.ts';
import type { Run } from '../../context.ts';
import { actOn } from './act.ts';
import { findNamed } from './find.ts';

const Input = z.object({
  incident: z.string().min(1),
  part: z.string().min(1),
  as: z.enum(['recomputed', 'withdrawn', 'accepted']),
  reason: SeenText.min(3).max(500),
});

export const run: Run = async (context) => {
  const { incident, part, as: resolution, reason } = context.input(Input);
  await actOn(context, await findNamed(context, incident), { action: 'settle', part, resolution, comment: reason });
};
