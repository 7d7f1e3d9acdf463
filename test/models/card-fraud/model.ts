import { defineModel } from '#model/define-model.ts';

export default defineModel({
  owner: 'card-risk',
  purpose: 'Which payments by card will be disputed: a small synthetic model, to show that a model is one folder',
  events: {
    source: 'cards/payments',
    id: 'payment_id',
    entity: 'card',
    time: 'paid_at',
    columns: { payment_id: 'BIGINT', card: 'VARCHAR', paid_at: 'TIMESTAMP', amount: 'DOUBLE', abroad: 'BOOLEAN' },
  },
  labels: { source: 'cards/disputes', value: 'disputed', arrivedAt: 'reported_at', matureAfterDays: 3 },
  features: {
    columns: ['amount', 'hour', 'abroad_flag', 'card_rate', 'card_payments'],
    aggregateDays: 14,
  },
  // Journeys run beside each other.
  online: { context: [], objectiveMs: 10_000 },
  training: { local: ['python', 'training/train.py'], seed: 1 },
  windows: { fortnight: 14, everything: { since: '2026-01-01' } },
  evaluation: { selectionDays: 3, testDays: 7 },
  schedule: { cron: 'cron(30 5 ? * TUE *)', timezone: 'Europe/Berlin' },
  predictions: { days: 7, lookup: true, onMismatch: 'recompute' },
  escalation: ['ml-engineer', 'ml-lead'],
});
