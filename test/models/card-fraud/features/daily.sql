WITH reported AS (
  SELECT payment_id, arg_max(disputed, reported_at) AS disputed, max(reported_at) AS reported_at FROM labels GROUP BY payment_id
),
once AS (
  SELECT payment_id, arg_min(card, paid_at) AS card FROM events GROUP BY payment_id
)
SELECT payment_id, card, disputed, reported_at FROM reported JOIN once USING (payment_id)
