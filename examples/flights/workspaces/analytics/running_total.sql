-- Totals since the first day loaded: the total of the day before, plus the day.
CREATE SCHEMA IF NOT EXISTS mart;

CREATE TABLE IF NOT EXISTS mart.running_total (
    bizdate DATE, since DATE, flights INTEGER, cancelled INTEGER, delay_minutes INTEGER
);

DELETE FROM mart.running_total WHERE bizdate = DATE '${day}';

INSERT INTO mart.running_total
SELECT DATE '${day}',
       coalesce(max(b.since), DATE '${day}'),
       coalesce(max(b.flights), 0) + sum(d.flights),
       coalesce(max(b.cancelled), 0) + sum(d.cancelled),
       coalesce(max(b.delay_minutes), 0) + sum(d.delay_minutes)
FROM mart.daily_delays AS d
LEFT JOIN mart.running_total AS b ON b.bizdate = DATE '${day_before}'
WHERE d.bizdate = DATE '${day}';

SELECT * FROM mart.running_total WHERE bizdate = DATE '${day}';
