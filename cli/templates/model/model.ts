import { defineModel } from '#model/define-model.ts';

export default defineModel({
  owner: 'your-team',
  purpose: 'What is predicted, for whom, and what they do with it',
  // Where your producer writes events: <source>/dt=YYYY-MM-DD/*.parquet, and then <source>/dt=YYYY-MM-DD/_READY.
  events: {
    source: 'your-source/events',
    id: 'event_id',
    entity: 'customer',
    time: 'occurred_at',
    columns: { event_id: 'VARCHAR', occurred_at: 'TIMESTAMP', customer: 'VARCHAR', amount: 'DOUBLE' },
  },
  // Labels lie under the day on which they arrived, not under the day of their event.
  labels: { source: 'your-source/labels', value: 'outcome', arrivedAt: 'arrived_at', matureAfterDays: 3 },
  features: { columns: ['amount', 'hour', 'customer_rate', 'customer_events'], aggregateDays: 14 },
  training: { local: ['python', 'training/train.py'], hyperparameters: { regularisation: 1 }, seed: 1 },
  windows: { fortnight: 14, everything: { since: '2024-01-01' } },
  schedule: { cron: 'cron(0 6 ? * MON *)', timezone: 'UTC' },
  escalation: ['ml-engineer', 'ml-lead', 'platform'],
});
