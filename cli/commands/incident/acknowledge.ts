import { z } from 'zod';
import { SeenText } from '#domain/text.ts';
import type { Run } from '../../context.ts';
import { actOn } from './act.ts';
import { findNamed } from './find.ts';

export const run: Run = async (context) => {
  const { incident, comment } = context.input(
    z.object({ incident: z.string().min(1), comment: SeenText.max(500).default('') }),
  );
  await actOn(context, await findNamed(context, incident), { action: 'acknowledge', comment });
};
