-- One row for each event of the day getvariable('partition'). `daily` holds the days before it only: no label is used
-- before it had arrived.
WITH newest AS (
  -- An event counts once, with the outcome that arrived last.
  SELECT arg_max(customer, arrived_at) AS customer, arg_max(outcome, arrived_at) AS outcome FROM daily GROUP BY event_id
),
known AS (
  SELECT customer, count(*) FILTER (outcome) AS positives, count(*) AS total FROM newest GROUP BY customer
)
SELECT event_id, customer, occurred_at,
       amount,
       hour(occurred_at) AS hour,
       -- A customer with few outcomes is drawn to one half, as if two more were known.
       (coalesce(positives, 0) + 1) / (coalesce(total, 0) + 2) AS customer_rate,
       coalesce(total, 0) AS customer_events
FROM events LEFT JOIN known USING (customer)
WHERE CAST(occurred_at AS DATE) = getvariable('partition')
