import { defineModel } from '#model/define-model.ts';

export default defineModel({
  owner: 'flight-operations',
  purpose: 'Which departed flights will turn out to be over 30 minutes late, days before the carriers report it',
  events: {
    source: 'flights/events',
    id: 'flight_id',
    entity: 'origin',
    time: 'departed_at',
    columns: {
      flight_id: 'VARCHAR',
      departed_at: 'TIMESTAMP',
      departed_local: 'TIMESTAMP',
      destination_local: 'TIMESTAMP',
      origin: 'VARCHAR',
      destination: 'VARCHAR',
      distance: 'INTEGER',
    },
  },
  // Landing (at most 12 hours) plus 24 to 72 hours: every label is there by the end of the fourth day.
  labels: { source: 'flights/labels', value: 'late', arrivedAt: 'arrived_at', matureAfterDays: 4 },
  features: {
    // oxfmt-ignore
    columns: [
      'minute_of_day', 'minute_of_five', 'weekday', 'distance', 'origin_rate_1d', 'origin_rate_28d',
      'destination_rate_1d', 'destination_rate_28d', 'origin_traffic', 'origin_traffic_ratio',
      'destination_traffic', 'destination_traffic_ratio',
    ],
    aggregateDays: 28,
  },
  // Departures of the last two closed hours of both airports' clocks: three hours, less the minutes of the one that is open.
  online: {
    context: [{ column: 'origin', of: ['origin', 'destination'], within: '3 hours' }],
    // An example that has to hold on a laptop, beside everything else that a local cloud runs.
    objectiveMs: 10_000,
  },
  training: { local: ['python', 'training/train.py'], hyperparameters: { iterations: 80, leaves: 31 }, seed: 7 },
  windows: { fortnight: 14, 'four-weeks': 28, everything: { since: '2001-01-01' } },
  schedule: { cron: 'cron(0 6 ? * MON *)', timezone: 'America/New_York' },
  escalation: ['ml-engineer', 'ml-lead', 'platform'],
});
