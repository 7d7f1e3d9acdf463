import { defineCard } from '#model/define-card.ts';

export default defineCard({
  intendedUse: ['To show that a model is one folder.'],
  limits: ['Its payments are made up, and so is what they lead to.'],
});
