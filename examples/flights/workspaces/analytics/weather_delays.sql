-- How late departures were in which weather, replacing the day's partition.
CREATE SCHEMA IF NOT EXISTS mart;

CREATE TABLE IF NOT EXISTS mart.weather_delays (
    bizdate DATE, sky VARCHAR, flights INTEGER, cancelled INTEGER, late INTEGER, mean_delay DOUBLE
);

DELETE FROM mart.weather_delays WHERE bizdate = DATE '${day}';

INSERT INTO mart.weather_delays
SELECT f.bizdate,
       CASE
           WHEN w.origin IS NULL THEN 'not observed'
           WHEN w.visibility_km < 3 THEN 'poor visibility'
           WHEN w.rain_mm > 0 AND w.celsius <= 0 THEN 'snow or ice'
           WHEN w.rain_mm > 0 THEN 'rain'
           WHEN w.wind_kmh >= 40 THEN 'strong wind'
           ELSE 'fair'
       END AS sky,
       count(*), count(*) FILTER (f.dep_time IS NULL), count(*) FILTER (f.dep_delay > ${late}), avg(f.dep_delay)
FROM raw.flights AS f
LEFT JOIN raw.weather AS w ON w.bizdate = f.bizdate AND w.origin = f.origin AND w.hour = f.hour
WHERE f.bizdate = DATE '${day}'
GROUP BY f.bizdate, sky;

SELECT sky, flights, round(mean_delay, 1) AS mean_delay
FROM mart.weather_delays WHERE bizdate = DATE '${day}'
ORDER BY flights DESC;
