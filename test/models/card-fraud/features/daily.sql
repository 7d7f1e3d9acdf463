SELECT card, count(*) FILTER (disputed) AS disputed, count(*) AS payments
FROM labels JOIN events USING (payment_id)
GROUP BY card
