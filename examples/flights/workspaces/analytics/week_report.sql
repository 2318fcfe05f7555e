-- The week that ended on Sunday, day by day, replacing the week's partition.
CREATE SCHEMA IF NOT EXISTS mart;

CREATE TABLE IF NOT EXISTS mart.week_report (
    bizdate DATE, day DATE, flights INTEGER, cancelled INTEGER, mean_delay DOUBLE, worst_carrier VARCHAR
);

DELETE FROM mart.week_report WHERE bizdate = DATE '${last}';

INSERT INTO mart.week_report
SELECT DATE '${last}', bizdate, sum(flights), sum(cancelled),
       sum(delay_minutes) / nullif(sum(flights) - sum(cancelled), 0),
       arg_max(carrier, mean_delay) FILTER (flights >= 20)
FROM mart.daily_delays
WHERE bizdate BETWEEN DATE '${first}' AND DATE '${last}'
GROUP BY bizdate;

SELECT day, flights, cancelled, round(mean_delay, 1) AS mean_delay, worst_carrier
FROM mart.week_report WHERE bizdate = DATE '${last}' ORDER BY day;
