import { z } from 'zod';

/** The parameters of most states of a promotion: which one. */
export const PromotionParameters = z.object({ model: z.string(), promotion: z.string() });
