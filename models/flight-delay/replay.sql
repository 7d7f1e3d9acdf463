-- The flights as their carriers would have known them. Source: 3,000,000 flights of the first half of 2001 (vega-datasets).
WITH recorded AS (
  SELECT file_row_number AS number, date AS clock, delay, distance, origin, destination
  FROM read_parquet(getvariable('flights'), file_row_number = true)
),
-- Departures past midnight are recorded under the date on which they were due, 24 hours early: the clock shows fewer
-- minutes than the flight was late, so it cannot have been due on the date that it carries.
repaired AS (
  SELECT *, clock + CASE WHEN hour(clock) < 6 AND hour(clock) * 60 + minute(clock) < delay
                    THEN INTERVAL 1 DAY ELSE INTERVAL 0 DAY END AS departed_local
  FROM recorded
),
-- `date` is the origin's wall clock. Clocks of different airports cannot be compared, so order and maturity use UTC.
flights AS (
  SELECT printf('f%07d', number) AS flight_id,
         CAST(timezone('UTC', timezone(zone, departed_local)) AS TIMESTAMP) AS departed_at,
         departed_local, origin, destination, CAST(distance AS INTEGER) AS distance, delay > 30 AS late,
         -- Two independent fractions of [0, 1) per flight, by arithmetic that no engine's version changes.
         CAST('0x' || md5(printf('f%07d', number))[1:8] AS BIGINT) / 4294967296 AS chance,
         CAST('0x' || md5(printf('f%07d', number))[9:16] AS BIGINT) / 4294967296 AS lateness
  FROM repaired JOIN zones ON zones.airport = repaired.origin
)
SELECT flight_id, departed_at, departed_local, CAST(timezone(zone, timezone('UTC', departed_at)) AS TIMESTAMP) AS destination_local,
       origin, destination, distance, late,
       -- Landing: 40 minutes on the ground and 7.5 miles a minute. The carrier reports 24 to 72 hours after it.
       departed_at + to_seconds(CAST(60 * (40 + distance / 7.5 + 1440 * (1 + 2 * lateness)) AS BIGINT)) AS arrived_at
FROM flights JOIN zones ON zones.airport = flights.destination
WHERE chance < getvariable('sample')
