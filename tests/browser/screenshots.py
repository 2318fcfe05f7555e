"""`make screenshots`: what every page looks like, in light and dark, on a desk and on a phone.

    python tests/browser/screenshots.py [--to .screenshots] [--pictures docs/pictures]

The place is the flights example with made-up data, in which something runs, has failed, waits and is done. The few that
README and the guide show go to the folder of --pictures.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[1])]

from browser import chromium
from browser.addresses import ELSEWHERE, PATHS, address_of, name_of, tabs
from browser.filling import Filling, fill
from browser.places import Place, opened
from browser.windows import DESK, PHONE, Window, open_window
from databases import postgres

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_FIRST, _SMALL, _LAST = date(2013, 1, 1), date(2013, 1, 18), date(2013, 1, 31)
# Pictures of README and of the guide: the page, and its theme.
PICTURES = {
    "home": ("/", "light"),
    "backfill-grid": ("/backfills/{backfill_id}", "light"),
    "backfill-grid-dark": ("/backfills/{backfill_id}", "dark"),
    "instance": ("/instances/{instance_id}", "light"),
    "new": ("/backfills/new?reuse={backfill_id}", "light"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Screenshots of all pages.")
    parser.add_argument("--to", type=Path, default=Path(".screenshots"), help="folder of all (.screenshots)")
    parser.add_argument("--pictures", type=Path, help="folder of those that the documentation shows")
    options = parser.parse_args(arguments)
    if chromium.find() is None:
        print("screenshots: no Chromium on the PATH", file=sys.stderr)
        return 2
    with _stage() as (browser, place, filling):
        for width in (DESK, PHONE):
            with open_window(browser, place, "admin", width=width) as window:
                _all(window, filling, options.to)
        if options.pictures:
            _few(browser, place, filling, options.pictures)
    return 0


@contextmanager
def _stage() -> Iterator[tuple[Browser, Place, Filling]]:
    with (
        tempfile.TemporaryDirectory() as folder,
        opened(Path(folder) / "flights", days=31, small_day=_SMALL) as place,
        chromium.started() as browser,
    ):
        yield browser, place, fill(place, _FIRST, _LAST)


def _all(window: Window, filling: Filling, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in PATHS:
        if path in ELSEWHERE:
            continue
        address = address_of(path, filling)
        window.go(address)
        for one in (address, *tabs(window.page)):
            window.go(one)
            for theme in ("light", "dark"):
                window.page.emulate_media(color_scheme=theme)
                shoot(window, folder / f"{name_of(path, one)}-{window.width}-{theme}.png", is_whole=True)
    print(f"{folder}: {len(list(folder.iterdir()))} screenshots")


def _few(browser: Browser, place: Place, filling: Filling, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, (path, theme) in PICTURES.items():
        with open_window(browser, place, "admin", theme) as window:
            window.go(path.format(**filling.values()))
            shoot(window, folder / f"{name}.png")


def shoot(window: Window, path: Path, is_whole: bool = False) -> None:
    """A picture of what has come to rest."""
    if is_whole:
        window.widen(
            window.width, is_whole=True
        )  # so that a bar at the bottom is there, and not in the middle
    window.settle()
    window.page.screenshot(path=path)


if __name__ == "__main__":
    postgres.begin()
    try:
        sys.exit(main())
    finally:
        postgres.end()
