-- What became known on the day getvariable('partition'): how many of the flights reported on it were late, at each end,
-- and how many departures each airport had in each hour (UTC), which needs no label.
WITH reported AS (
  SELECT events.origin, events.destination, labels.late
  FROM labels JOIN events USING (flight_id)
)
SELECT 'origin' AS measure, origin AS airport, NULL::INTEGER AS hour, count(*) FILTER (late) AS late, count(*) AS total
FROM reported
GROUP BY origin
UNION ALL
SELECT 'destination', destination, NULL, count(*) FILTER (late), count(*)
FROM reported
GROUP BY destination
UNION ALL
SELECT 'departures', origin, hour(departed_at), NULL, count(*)
FROM events
WHERE CAST(departed_at AS DATE) = getvariable('partition')
GROUP BY origin, hour(departed_at)
