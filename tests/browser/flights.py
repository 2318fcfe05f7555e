"""The flights example with made-up source data, and a workspace whose tasks a test holds up and lets fail.

Of `ops`, `weather` and `analytics` everything runs as in the example. In `lab`, a task of one bizdate goes on when the
test says so: `lab.load` runs until `go/<bizdate>` is there, `lab.check` fails until `mended/<bizdate>` is.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

_EXAMPLE = Path(__file__).parents[2] / "examples" / "flights"
_COPIED = ("retrofill.yaml", "show_results.py", "README.md", "workspaces")
FIRST_DAY = date(2013, 1, 1)
SMALL_DAY = date(2013, 1, 3)  # usually the one with too few departures: `ops.check_departures` refuses it
QUIET_DAY = date(2013, 1, 12)  # fewer than on other days, and yet enough
_AIRLINES = {"AA": "American Airlines Inc.", "B6": "JetBlue Airways", "UA": "United Air Lines Inc."}
_AIRPORTS = ("EWR", "JFK", "LGA")
_FLIGHTS = (
    "year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,flight,tailnum,"
    "origin,dest,air_time,distance,hour,minute,time_hour"
)
_WEATHER = (
    "origin,year,month,day,hour,temp,dewp,humid,wind_dir,wind_speed,wind_gust,precip,pressure,visib,time_hour"
)
STRANGE = "<script>alert('stored')</script> & \"quoted\" {{ 7 * 7 }} \u202emirrored"
LONG = "a_name_that_goes_on_and_on_so_that_no_column_has_room_for_it_and_its_end_is_what_tells_it_apart_v2"
LAB = f"""
workspace: lab
members: {{ada: administrator, otto: operator, dora: developer, vera: visitor}}
defaults: {{owner: ada, timeout: 10m, resource_group: bench}}
tasks:
  load:
    type: shell
    schedule: "0 1 * * *"
    run: |
      echo "loading $day"
      until [ -e ../../go/$day ]; do sleep 0.05; done
      printf '\\033[32mloaded\\033[0m %s\\n' "$day"
    parameters: {{day: "${{yyyy-mm-dd}}"}}
    description: Runs until somebody lets it go.
  check:
    type: shell
    schedule: "10 1 * * *"
    depends_on: [load]
    run: |
      echo "checking $day"
      [ -e ../../mended/$day ] || {{ echo "error: $day lacks its rates" >&2; exit 1; }}
    parameters: {{day: "${{yyyy-mm-dd}}"}}
    description: Fails until somebody has mended it.
  report: {{type: shell, schedule: "20 1 * * *", depends_on: [check], run: "echo reported"}}
  mail: {{type: shell, schedule: "30 1 * * *", depends_on: [report], run: "echo sent"}}
  count:
    type: shell
    schedule: "0 2 * * *"
    run: "echo counted"
    description: "{STRANGE.replace(chr(34), chr(92) + chr(34))}"
  {LONG}: {{type: shell, schedule: "0 3 * * *", depends_on: [count], run: "echo long"}}
"""


def write(home: Path, days: int, small_day: date = SMALL_DAY) -> None:
    """A project's folder, with source data for so many days from 1 January 2013 on."""
    home.mkdir(parents=True, exist_ok=True)
    for name in _COPIED:
        copy = shutil.copytree if (_EXAMPLE / name).is_dir() else shutil.copy
        copy(_EXAMPLE / name, home / name)
    settings = home / "retrofill.yaml"
    settings.write_text(
        settings.read_text().replace(
            "resource_groups:\n", "resource_groups:\n  bench: {type: exclusive, slots: 90}\n"
        )
    )
    (home / "workspaces" / "lab").mkdir()
    (home / "workspaces" / "lab" / "workspace.yaml").write_text(LAB)
    for folder in ("go", "mended", "data/flights", "data/weather"):
        (home / folder).mkdir(parents=True)
    _lines(home / "data" / "airlines.csv", "carrier,name", (f"{c},{n}" for c, n in _AIRLINES.items()))
    for day in (FIRST_DAY + timedelta(days=n) for n in range(days)):
        _lines(
            home / "data" / "flights" / f"{day}.csv",
            _FLIGHTS,
            _departures(day, 100 if day == small_day else 0),
        )
        _lines(home / "data" / "weather" / f"{day}.csv", _WEATHER, _observations(day))


def mend_small_day(home: Path, day: date = SMALL_DAY) -> None:
    """What was missing of it has come."""
    _lines(home / "data" / "flights" / f"{day}.csv", _FLIGHTS, _departures(day))


def _lines(path: Path, head: str, lines: Iterable[str]) -> None:
    path.write_text("\n".join([head, *lines, ""]))


def _departures(day: date, count: int = 0) -> Iterable[str]:
    """So many; 0: as many as usual."""
    carriers = sorted(_AIRLINES)
    for n in range(count or (550 if day == QUIET_DAY else 600)):
        hour, minute, delay = 5 + n % 18, n % 60, (n * 7 + day.day * 3) % 41 - 10
        left = f"{hour * 100 + minute},{hour * 100 + minute},{delay},1200,1200,{delay - 3}"
        flight = f"{carriers[n % 3]},{n + 1},N{n:05},{_AIRPORTS[n % 3]},ORD,120,719,{hour},{minute}"
        yield f"{day.year},{day.month},{day.day},{left},{flight},{day} {hour:02}:00:00"


def _observations(day: date) -> Iterable[str]:
    for airport in _AIRPORTS:
        for hour in range(24):
            rain = "0.1" if (day.day + hour) % 7 == 0 else "0"
            seen = f"{30 + hour},20,60,250,{hour % 20},NA,{rain},1012,{1 if rain != '0' else 10}"
            yield f"{airport},{day.year},{day.month},{day.day},{hour},{seen},{day} {hour:02}:00:00"
