-- The departures of one day, replacing the day's partition: running it again changes nothing.
CREATE SCHEMA IF NOT EXISTS raw;

CREATE TABLE IF NOT EXISTS raw.flights (
    bizdate DATE, origin VARCHAR, dest VARCHAR, carrier VARCHAR, flight INTEGER, tailnum VARCHAR,
    hour TINYINT, minute TINYINT, dep_time SMALLINT, dep_delay SMALLINT, arr_delay SMALLINT, distance SMALLINT
);

DELETE FROM raw.flights WHERE bizdate = DATE '${day}';

INSERT INTO raw.flights
SELECT DATE '${day}', origin, dest, carrier, flight, tailnum,
       hour, minute, dep_time, dep_delay, arr_delay, distance
FROM read_csv(
    '../../staging/flights/${day}/departures-*.csv', auto_detect = false, header = false, delim = ',', nullstr = 'NA',
    columns = {
        'dep_time': 'SMALLINT', 'dep_delay': 'SMALLINT', 'arr_delay': 'SMALLINT', 'carrier': 'VARCHAR',
        'flight': 'INTEGER', 'tailnum': 'VARCHAR', 'origin': 'VARCHAR', 'dest': 'VARCHAR',
        'distance': 'SMALLINT', 'hour': 'TINYINT', 'minute': 'TINYINT'
    }
);

SELECT origin, count(*) AS flights, count(*) FILTER (dep_time IS NULL) AS cancelled
FROM raw.flights WHERE bizdate = DATE '${day}'
GROUP BY origin ORDER BY origin;
