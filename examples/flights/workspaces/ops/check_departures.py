"""Refuses a day whose hours do not add up to the day, or that is suspiciously small."""

import sys
from pathlib import Path

import retrofill

parameters = retrofill.parameters()
folder = Path("../../staging/flights", parameters["day"])
minimum = int(parameters["minimum"])

day = sorted((folder / "day.csv").read_text().splitlines())
hours = [folder / f"departures-{hour:02}.csv" for hour in range(24)]
departures = sorted(line for file in hours for line in file.read_text().splitlines())

if departures != day:
    sys.exit(f"{parameters['day']}: the hours hold {len(departures)} departures, the day {len(day)}")
if len(day) < minimum:
    sys.exit(f"{parameters['day']}: only {len(day)} departures, expected {minimum} or more")
print(f"{len(day)} departures in 24 hours, none lost, none twice")
