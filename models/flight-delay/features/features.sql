-- One row for each flight that departed on the day getvariable('partition').
WITH today AS (
  SELECT *, date_trunc('hour', departed_local) AS origin_hour, date_trunc('hour', destination_local) AS destination_hour
  FROM events
  WHERE CAST(departed_at AS DATE) = getvariable('partition')
),
-- Delay rates of the labels that had arrived: on the last day, and on all days that `daily` has. An airport with few
-- reports is drawn to the rate of all airports, as if 20 more flights had been reported at that rate.
again AS (
  SELECT flight_id, max(daily.partition) AS newest FROM daily WHERE flight_id IS NOT NULL GROUP BY flight_id HAVING count(*) > 1
),
routes AS (
  -- A flight counts once, with the report that arrived last.
  SELECT origin, destination, daily.partition = getvariable('partition') - 1 AS yesterday, count(*) FILTER (late) AS late, count(*) AS total
  FROM daily ANTI JOIN again ON again.flight_id = daily.flight_id AND again.newest > daily.partition
  WHERE daily.flight_id IS NOT NULL
  GROUP BY ALL
),
reported AS (
  SELECT 'origin' AS measure, origin AS airport, yesterday, sum(late) AS late, sum(total) AS total FROM routes GROUP BY ALL
  UNION ALL
  SELECT 'destination', destination, yesterday, sum(late), sum(total) FROM routes GROUP BY ALL
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
-- Traffic: departures in the last two closed hours of an airport's clock, and how many those two hours had on average on the
-- fourteen days before. Closed hours of every day hold the same banks of a hub; a sliding window cuts them anywhere.
hours AS (
  SELECT origin AS airport, origin_hour AS hour, count(DISTINCT flight_id) AS departures
  FROM today
  WHERE flight_id NOT IN (SELECT flight_id FROM events WHERE CAST(departed_at AS DATE) < getvariable('partition'))
  GROUP BY origin, origin_hour
),
closed AS (
  SELECT origin AS airport, hour + to_hours(later) AS hour, departures
  FROM daily, (VALUES (1), (2)) AS after(later)
  WHERE hour IS NOT NULL AND daily.partition >= getvariable('partition') - 15
  UNION ALL
  SELECT airport, hour + to_hours(later), departures
  FROM hours, (VALUES (1), (2)) AS after(later)
),
asked AS (
  SELECT origin AS airport, origin_hour AS hour FROM today
  UNION
  SELECT destination, destination_hour FROM today
),
known AS (
  SELECT count(DISTINCT daily.partition) AS days
  FROM daily
  WHERE hour IS NOT NULL AND daily.partition >= getvariable('partition') - 14
),
traffic AS (
  SELECT asked.airport, asked.hour, coalesce(sum(departures) FILTER (closed.hour = asked.hour), 0) AS traffic,
         sum(departures) FILTER (closed.hour < asked.hour) / (SELECT days FROM known) AS usual
  FROM asked JOIN closed
    ON closed.airport = asked.airport AND hour(closed.hour) = hour(asked.hour)
    AND closed.hour BETWEEN asked.hour - INTERVAL 14 DAYS AND asked.hour
  GROUP BY asked.airport, asked.hour
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
       coalesce(origin_traffic.traffic, 0) AS origin_traffic,
       origin_traffic.traffic / origin_traffic.usual AS origin_traffic_ratio,
       coalesce(destination_traffic.traffic, 0) AS destination_traffic,
       destination_traffic.traffic / destination_traffic.usual AS destination_traffic_ratio
FROM today
LEFT JOIN rates AS origin_rates ON origin_rates.measure = 'origin' AND origin_rates.airport = today.origin
LEFT JOIN rates AS destination_rates ON destination_rates.measure = 'destination' AND destination_rates.airport = today.destination
LEFT JOIN traffic AS origin_traffic ON origin_traffic.airport = today.origin AND origin_traffic.hour = origin_hour
LEFT JOIN traffic AS destination_traffic ON destination_traffic.airport = today.destination AND destination_traffic.hour = destination_hour
