WITH known AS (
  SELECT card, sum(disputed) AS disputed, sum(payments) AS payments FROM daily GROUP BY card
)
SELECT payment_id, card, paid_at, ln(amount) AS amount, hour(paid_at) AS hour, CAST(abroad AS INTEGER) AS abroad_flag,
       (disputed + 0.5) / (payments + 5) AS card_rate, payments AS card_payments
FROM events LEFT JOIN known USING (card)
WHERE CAST(paid_at AS DATE) = getvariable('partition')
