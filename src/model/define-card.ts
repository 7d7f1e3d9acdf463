import type { ModelCard } from '#domain/model/card.ts';

/** Says what a model is for and what its limits are; the default export of `models/<name>/card.ts`. */
export function defineCard(card: ModelCard): ModelCard {
  return card;
}
