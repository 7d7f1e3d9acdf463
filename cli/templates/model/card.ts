import { defineCard } from '#model/define-card.ts';

/** What only people can say of the model; it is printed in every evaluation report, and approvers read it. */
export default defineCard({
  intendedUse: ['What its predictions are for, and who uses them. Replace this sentence before anybody decides by it.'],
  outOfScope: ['What it must not be used for.'],
  limits: ['What is known to be wrong with it, or with its data.'],
  ethics: ['Whom it may harm, and how; by which column of the features it would show.'],
});
