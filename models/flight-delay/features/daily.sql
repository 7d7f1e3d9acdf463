-- What became known on the day getvariable('partition'): each flight that was reported on it, once, with the newest report,
-- and how many departures each airport had in each hour of its clock, which needs no label. Reports are not summed yet,
-- because one that arrives on a later day may correct them.
WITH today AS (
  -- A flight counts on the first of the days on which it lies.
  SELECT DISTINCT flight_id, origin, date_trunc('hour', departed_local) AS hour
  FROM events
  WHERE CAST(departed_at AS DATE) = getvariable('partition')
    AND flight_id NOT IN (SELECT flight_id FROM events WHERE CAST(departed_at AS DATE) < getvariable('partition'))
)
SELECT flight_id, arg_min(origin, departed_at) AS origin, arg_min(destination, departed_at) AS destination,
       arg_max(late, arrived_at) AS late, NULL::TIMESTAMP AS hour, NULL::BIGINT AS departures
FROM labels JOIN events USING (flight_id)
GROUP BY flight_id
UNION ALL
SELECT NULL, origin, NULL, NULL, hour, count(*)
FROM today
GROUP BY origin, hour
