-- What became known on the day getvariable('partition'): each event whose outcome arrived, once, with the newest outcome.
-- Nothing is summed yet, because a label that arrives on a later day may correct it.
WITH reported AS (
  SELECT event_id, arg_max(outcome, arrived_at) AS outcome, max(arrived_at) AS arrived_at FROM labels GROUP BY event_id
),
once AS (
  SELECT event_id, arg_min(customer, occurred_at) AS customer FROM events GROUP BY event_id
)
SELECT event_id, customer, outcome, arrived_at FROM reported JOIN once USING (event_id)
