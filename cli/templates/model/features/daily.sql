-- What became known on the day getvariable('partition'): how often each customer's outcomes were positive.
SELECT events.customer, count(*) FILTER (labels.outcome) AS positives, count(*) AS total
FROM labels JOIN events USING (event_id)
GROUP BY events.customer
