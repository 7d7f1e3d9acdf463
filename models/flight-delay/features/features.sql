-- One row for each flight that departed on the day getvariable('partition').
WITH today AS (
  SELECT * FROM events WHERE CAST(departed_at AS DATE) = getvariable('partition')
),
-- Delay rates of the labels that had arrived: on the last day, and on all days that `daily` has. An airport with few
-- reports is drawn to the rate of all airports, as if 20 more flights had been reported at that rate.
newest AS (
  -- A flight counts once, with the report that arrived last.
  SELECT arg_max(origin, arrived_at) AS origin, arg_max(destination, arrived_at) AS destination,
         arg_max(late, arrived_at) AS late, max(daily.partition) = getvariable('partition') - 1 AS yesterday
  FROM daily
  WHERE flight_id IS NOT NULL
  GROUP BY flight_id
),
reported AS (
  SELECT 'origin' AS measure, origin AS airport, count(*) FILTER (late) AS late, count(*) AS total, yesterday
  FROM newest
  GROUP BY origin, yesterday
  UNION ALL
  SELECT 'destination', destination, count(*) FILTER (late), count(*), yesterday
  FROM newest
  GROUP BY destination, yesterday
),
overall AS (
  SELECT measure, sum(late) FILTER (yesterday) / sum(total) FILTER (yesterday) AS rate_1d, sum(late) / sum(total) AS rate_28d
  FROM reported
  GROUP BY measure
),
rates AS (
  SELECT measure, airport,
         (coalesce(sum(late) FILTER (yesterday), 0) + 20 * any_value(rate_1d)) / (coalesce(sum(total) FILTER (yesterday), 0) + 20) AS rate_1d,
         (sum(late) + 20 * any_value(rate_28d)) / (sum(total) + 20) AS rate_28d
  FROM reported JOIN overall USING (measure)
  GROUP BY measure, airport
),
-- Traffic: departures in the two hours before a flight's own, at both of its ends. Each flight asks at two airports.
moments AS (
  SELECT arg_min(origin, departed_at) AS airport, min(departed_at) AS departed_at, 1 AS departures, NULL AS flight_id, NULL AS asked_at
  FROM events
  GROUP BY events.flight_id
  HAVING min(departed_at) >= CAST(getvariable('partition') AS TIMESTAMP) - INTERVAL 2 HOURS
  UNION ALL SELECT origin, departed_at, 0, flight_id, 'origin' FROM today
  UNION ALL SELECT destination, departed_at, 0, flight_id, 'destination' FROM today
),
counted AS (
  SELECT flight_id, asked_at, airport, hour(departed_at - INTERVAL 1 HOUR) AS hour,
         coalesce(sum(departures) OVER two_hours, 0) AS traffic
  FROM moments
  WINDOW two_hours AS (
    PARTITION BY airport ORDER BY departed_at
    RANGE BETWEEN INTERVAL 2 HOURS PRECEDING AND INTERVAL 1 MINUTE PRECEDING
  )
),
-- The usual traffic of two hours, by the hour in their middle.
usual AS (
  SELECT origin AS airport, hour, 2 * sum(departures) / (SELECT count(DISTINCT daily.partition) FROM daily) AS traffic
  FROM daily
  WHERE flight_id IS NULL
  GROUP BY origin, hour
),
traffic AS (
  SELECT counted.flight_id, counted.asked_at, counted.traffic, counted.traffic / usual.traffic AS ratio
  FROM counted LEFT JOIN usual USING (airport, hour)
  WHERE counted.flight_id IS NOT NULL
)
SELECT today.flight_id, today.origin, today.departed_at,
       hour(departed_local) * 60 + minute(departed_local) AS minute_of_day,
       minute(departed_local) % 5 AS minute_of_five,
       isodow(departed_local) AS weekday,
       today.distance,
       origin_rates.rate_1d AS origin_rate_1d,
       origin_rates.rate_28d AS origin_rate_28d,
       destination_rates.rate_1d AS destination_rate_1d,
       destination_rates.rate_28d AS destination_rate_28d,
       origin_traffic.traffic AS origin_traffic,
       origin_traffic.ratio AS origin_traffic_ratio,
       destination_traffic.traffic AS destination_traffic,
       destination_traffic.ratio AS destination_traffic_ratio
FROM today
LEFT JOIN rates AS origin_rates ON origin_rates.measure = 'origin' AND origin_rates.airport = today.origin
LEFT JOIN rates AS destination_rates ON destination_rates.measure = 'destination' AND destination_rates.airport = today.destination
JOIN traffic AS origin_traffic ON origin_traffic.flight_id = today.flight_id AND origin_traffic.asked_at = 'origin'
JOIN traffic AS destination_traffic ON destination_traffic.flight_id = today.flight_id AND destination_traffic.asked_at = 'destination'
