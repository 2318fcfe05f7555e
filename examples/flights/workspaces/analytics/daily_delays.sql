-- Delay figures per carrier and day, replacing the day's partition.
CREATE SCHEMA IF NOT EXISTS mart;

CREATE TABLE IF NOT EXISTS mart.daily_delays (
    bizdate DATE, carrier VARCHAR, name VARCHAR, flights INTEGER, cancelled INTEGER,
    delay_minutes INTEGER, late INTEGER, mean_delay DOUBLE
);

DELETE FROM mart.daily_delays WHERE bizdate = DATE '${day}';

INSERT INTO mart.daily_delays
SELECT f.bizdate, f.carrier, any_value(a.name),
       count(*), count(*) FILTER (f.dep_time IS NULL),
       coalesce(sum(f.dep_delay), 0), count(*) FILTER (f.dep_delay > 15), avg(f.dep_delay)
FROM raw.flights AS f
LEFT JOIN read_csv(
    '../../data/airlines.csv', auto_detect = false, header = true, delim = ',',
    columns = {'carrier': 'VARCHAR', 'name': 'VARCHAR'}
) AS a USING (carrier)
WHERE f.bizdate = DATE '${day}'
GROUP BY f.bizdate, f.carrier;

SELECT carrier, flights, cancelled, round(mean_delay, 1) AS mean_delay
FROM mart.daily_delays WHERE bizdate = DATE '${day}'
ORDER BY flights DESC LIMIT 5;
