-- What became known on the day getvariable('partition'): each flight that was reported on it, once, with the newest report,
-- and how many departures each airport had in each hour (UTC), which needs no label. Reports are not summed yet, because
-- one that arrives on a later day may correct them.
WITH once AS (
  SELECT flight_id, min(departed_at) AS departed_at, arg_min(origin, departed_at) AS origin,
         arg_min(destination, departed_at) AS destination
  FROM events
  GROUP BY flight_id
),
reported AS (
  SELECT flight_id, arg_max(late, arrived_at) AS late, max(arrived_at) AS arrived_at FROM labels GROUP BY flight_id
)
SELECT flight_id, origin, destination, late, arrived_at, NULL::BIGINT AS hour, NULL::BIGINT AS departures
FROM reported JOIN once USING (flight_id)
UNION ALL
SELECT NULL, origin, NULL, NULL, NULL, hour(departed_at), count(*)
FROM once
WHERE CAST(departed_at AS DATE) = getvariable('partition')
GROUP BY origin, hour(departed_at)
