WITH newest AS (
  SELECT arg_max(card, reported_at) AS card, arg_max(disputed, reported_at) AS disputed FROM daily GROUP BY payment_id
),
known AS (
  SELECT card, count(*) FILTER (disputed) AS disputed, count(*) AS payments FROM newest GROUP BY card
)
SELECT payment_id, card, paid_at, ln(amount) AS amount, hour(paid_at) AS hour, CAST(abroad AS INTEGER) AS abroad_flag,
       (disputed + 0.5) / (payments + 5) AS card_rate, payments AS card_payments
FROM events LEFT JOIN known USING (card)
WHERE CAST(paid_at AS DATE) = getvariable('partition')
