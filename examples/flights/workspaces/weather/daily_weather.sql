-- The observations of one day, replacing the day's partition.
CREATE SCHEMA IF NOT EXISTS raw;

CREATE TABLE IF NOT EXISTS raw.weather (
    bizdate DATE, origin VARCHAR, hour TINYINT,
    celsius DOUBLE, wind_kmh DOUBLE, rain_mm DOUBLE, visibility_km DOUBLE
);

DELETE FROM raw.weather WHERE bizdate = DATE '${day}';

-- In the night in November when the clocks go back, 01:00 is observed twice: one row, the mean of both.
INSERT INTO raw.weather
SELECT DATE '${day}', origin, hour, avg(celsius), avg(wind_kmh), avg(rain_mm), avg(visibility_km)
FROM read_csv(
    '../../staging/weather/${day}/observations-*.csv', auto_detect = false, header = false, delim = ',',
    columns = {
        'origin': 'VARCHAR', 'hour': 'TINYINT', 'celsius': 'DOUBLE', 'wind_kmh': 'DOUBLE',
        'rain_mm': 'DOUBLE', 'visibility_km': 'DOUBLE'
    }
)
GROUP BY origin, hour;

SELECT origin, count(*) AS hours, round(min(celsius), 1) AS coldest, round(max(wind_kmh), 1) AS windiest
FROM raw.weather WHERE bizdate = DATE '${day}'
GROUP BY origin ORDER BY origin;
