"""Brings three hours of observations, from $hour on, in metric units.

A station may be silent for hours, and on the night in March when the clocks go forward
there is no 02:00: that makes a shorter file, not an error.
"""

import csv
import os
from pathlib import Path

import retrofill

parameters = retrofill.parameters()
day, first = parameters["day"], int(parameters["hour"])
source = Path("../../data/weather", f"{day}.csv")
folder = Path("../../staging/weather", day)


def metric(text, factor, offset=0.0):
    """A number in metric units, or an empty field where the station was silent."""
    return "" if text == "NA" else f"{(float(text) + offset) * factor:.2f}"


rows = []
with source.open(newline="") as file:
    for row in csv.DictReader(file):
        if first <= int(row["hour"]) < first + 3:
            celsius = metric(row["temp"], 5 / 9, -32)
            wind_kmh = metric(row["wind_speed"], 1.609344)
            rain_mm = metric(row["precip"], 25.4)
            visibility_km = metric(row["visib"], 1.609344)
            rows.append([row["origin"], row["hour"], celsius, wind_kmh, rain_mm, visibility_km])

folder.mkdir(parents=True, exist_ok=True)
part = folder / f".observations.{first:02}.{os.getpid()}"
with part.open("w", newline="") as file:
    csv.writer(file, lineterminator="\n").writerows(rows)
part.replace(folder / f"observations-{first:02}.csv")
print(f"{len(rows)} observations from {first:02}:00 to {first + 2:02}:59 on {day}")
