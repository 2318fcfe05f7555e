"""Prints what a backfill of a month made of the flights, and checks it against the source.

    python show_results.py                  January 2013
    python show_results.py --month 2013-02

The source is read from the archive as it was fetched, past every task. Exit status 1: the
warehouse does not hold what the source says, for every day of the month.
"""

from __future__ import annotations

import argparse
import calendar
import csv
import io
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

HERE = Path(__file__).parent

CARRIERS = """
SELECT name, sum(flights), sum(cancelled), sum(late), sum(delay_minutes) / nullif(sum(flights - cancelled), 0)
FROM mart.daily_delays WHERE bizdate BETWEEN $first AND $last
GROUP BY name ORDER BY sum(flights) DESC, name
"""
WEATHER = """
SELECT sky, sum(flights), sum(cancelled), sum(late),
       sum(mean_delay * (flights - cancelled)) / nullif(sum(flights - cancelled), 0)
FROM mart.weather_delays WHERE bizdate BETWEEN $first AND $last
GROUP BY sky ORDER BY sum(flights) DESC, sky
"""
DAYS = """
SELECT bizdate, sum(flights), sum(cancelled), sum(delay_minutes)
FROM mart.daily_delays WHERE bizdate BETWEEN $first AND $last GROUP BY bizdate
"""
TOTALS = """
SELECT bizdate, since, flights, cancelled, delay_minutes FROM mart.running_total
WHERE bizdate BETWEEN $first AND $last ORDER BY bizdate
"""


@dataclass
class Figures:
    """The figures of a day or of several: flights, cancelled ones among them, minutes of delay."""

    flights: int = 0
    cancelled: int = 0
    delay_minutes: int = 0

    def __str__(self) -> str:
        return (
            f"{self.flights:,} flights, {self.cancelled:,} cancelled, {self.delay_minutes:,} minutes of delay"
        )

    def add(self, other: Figures) -> None:
        self.flights += other.flights
        self.cancelled += other.cancelled
        self.delay_minutes += other.delay_minutes


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Print a month of results and check it against the source.")
    parser.add_argument("--month", default="2013-01", help="YYYY-MM (2013-01)")
    parser.add_argument("--project", type=Path, default=HERE, help="folder with warehouse.duckdb and data/")
    options = parser.parse_args(arguments)
    try:
        first = date.fromisoformat(f"{options.month}-01")
    except ValueError:
        parser.error(f"--month is {options.month}, not of the form 2013-01")
    last = first.replace(day=calendar.monthrange(first.year, first.month)[1])
    for needed in ("warehouse.duckdb", "data/flights.csv.zip"):
        if not (options.project / needed).exists():
            print(f"show_results: {options.project / needed} is not there yet", file=sys.stderr)
            return 1
    try:
        with duckdb.connect(str(options.project / "warehouse.duckdb"), read_only=True) as warehouse:
            return show(warehouse, source_days(options.project / "data/flights.csv.zip"), first, last)
    except duckdb.CatalogException:
        print("show_results: the warehouse has no results yet: backfill first", file=sys.stderr)
    except duckdb.IOException as error:
        print(
            f"show_results: the warehouse cannot be read now ({str(error).splitlines()[0]})", file=sys.stderr
        )
    return 1


def show(warehouse: duckdb.DuckDBPyConnection, source: dict[date, Figures], first: date, last: date) -> int:
    """Print the month and the check; the exit status."""
    days = {"first": first, "last": last}
    print(f"Departures from New York City, {first:%B %Y}\n")
    print_table("carrier", warehouse.execute(CARRIERS, days).fetchall())
    print_table("weather at departure", warehouse.execute(WEATHER, days).fetchall())
    made = {row[0]: Figures(*map(int, row[1:])) for row in warehouse.execute(DAYS, days).fetchall()}
    totals = {row[0]: (row[1], Figures(*row[2:])) for row in warehouse.execute(TOTALS, days).fetchall()}
    expected = {day: figures for day, figures in source.items() if first <= day <= last}
    problems = differences(made, expected) + total_differences(totals, source)

    sums, source_sums = Figures(), Figures()
    for day in expected:
        sums.add(made.get(day, Figures()))
        source_sums.add(expected[day])
    print(f"{'':24}{'warehouse':>12}{'source':>12}")
    for name in ("flights", "cancelled", "delay_minutes"):
        ours, theirs = getattr(sums, name), getattr(source_sums, name)
        mark = "equal" if ours == theirs else "DIFFERENT"
        print(f"{name.replace('_', ' '):24}{ours:>12,}{theirs:>12,}  {mark}")
    if totals:
        day = max(totals)
        print(f"running total           {totals[day][1].flights:>12,}  since {totals[day][0]}, up to {day}")
    for problem in problems[:10]:
        print(f"WRONG: {problem}")
    if len(problems) > 10:
        print(f"WRONG: and {len(problems) - 10} more")
    verdict = "does not match the source" if problems else f"matches the source on all {len(expected)} days"
    print(f"\nThe warehouse {verdict}.")
    return 1 if problems else 0


def differences(made: dict[date, Figures], expected: dict[date, Figures]) -> list[str]:
    """One sentence per day on which warehouse and source differ."""
    return [
        f"{day}: the warehouse has {made.get(day, 'nothing')}; the source has {expected.get(day, 'nothing')}"
        for day in sorted(made.keys() | expected.keys())
        if made.get(day) != expected.get(day)
    ]


def total_differences(totals: dict[date, tuple[date, Figures]], source: dict[date, Figures]) -> list[str]:
    """One sentence per day whose running total is not the sum of the days since it began."""
    wrong = []
    for day, (since, total) in totals.items():
        expected = Figures()
        for source_day, figures in source.items():
            if since <= source_day <= day:
                expected.add(figures)
        if total != expected:
            wrong.append(f"{day}: the running total since {since} is {total}, should be {expected}")
    return wrong


def source_days(archive: Path) -> dict[date, Figures]:
    """The figures of every day, straight from the source."""
    days: dict[date, Figures] = {}
    with zipfile.ZipFile(archive) as zipped, zipped.open("flights.csv") as file:
        for row in csv.DictReader(io.TextIOWrapper(file, encoding="utf-8")):
            day = date(int(row["year"]), int(row["month"]), int(row["day"]))
            delay = 0 if row["dep_delay"] == "NA" else int(row["dep_delay"])
            days.setdefault(day, Figures()).add(Figures(1, row["dep_time"] == "NA", delay))
    return days


def print_table(title: str, rows: Sequence[Sequence[object]]) -> None:
    """Rows of name, flights, cancelled, late, mean delay, with a line of totals."""
    print(f"{title:<28}{'flights':>9}{'cancelled':>11}{'late':>8}{'mean delay':>12}")
    for name, flights, cancelled, late, delay in rows:
        shown = "" if delay is None else f"{delay:.1f} min"
        print(f"{name:<28}{flights:>9,}{cancelled:>11,}{late:>8,}{shown:>12}")
    sums = [sum(int(str(row[column])) for row in rows) for column in (1, 2, 3)]
    print(f"{'all':<28}{sums[0]:>9,}{sums[1]:>11,}{sums[2]:>8,}\n")


if __name__ == "__main__":
    sys.exit(main())
