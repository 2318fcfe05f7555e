-- The month per carrier, ranked by punctuality, replacing the month's partition.
CREATE SCHEMA IF NOT EXISTS mart;

CREATE TABLE IF NOT EXISTS mart.month_report (
    month VARCHAR, rank INTEGER, carrier VARCHAR, name VARCHAR, days INTEGER,
    flights INTEGER, cancelled INTEGER, late INTEGER, mean_delay DOUBLE
);

DELETE FROM mart.month_report WHERE month = '${month}';

INSERT INTO mart.month_report
SELECT '${month}',
       row_number() OVER (ORDER BY sum(late) / greatest(sum(flights) - sum(cancelled), 1), carrier),
       carrier, any_value(name), count(*), sum(flights), sum(cancelled), sum(late),
       sum(delay_minutes) / nullif(sum(flights) - sum(cancelled), 0)
FROM mart.daily_delays
WHERE strftime(bizdate, '%Y%m') = '${month}'
GROUP BY carrier;

SELECT rank, carrier, flights, cancelled, round(100 * late / greatest(flights - cancelled, 1), 1) AS late_percent
FROM mart.month_report WHERE month = '${month}' ORDER BY rank;
