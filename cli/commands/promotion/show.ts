import { z } from 'zod';
import type { Run } from '../../context.ts';
import { findPromotionNamed } from './find-promotion.ts';
import { promotionReport } from './show-view.ts';
import { promotionReader } from './watched.ts';

export const run: Run = async (context) => {
  const { promotion: named } = context.input(z.object({ promotion: z.string().min(3) }));
  const cloud = context.cloud(context.environment(['staging', 'prod'], 'prod'));
  const promotion = await findPromotionNamed(context, cloud, named);
  context.print(promotionReport(await promotionReader(cloud, promotion)(context.now()), context.now()));
};
