"""What a browser keeps of how its user likes pages, and what it is told once.

Nothing here is a right or a secret: whoever forges one sees his own page differently.
"""

from __future__ import annotations

from urllib.parse import quote, unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import Request, Response

from retrofill.web.frame import THEMES

THEME, ZONE = "retrofill-theme", "retrofill-zone"
_SAID = "retrofill-said"
_YEAR = 31_536_000  # seconds
_MINUTE = 60
_MOST_SAID = 600  # characters


def theme_of(request: Request) -> str:
    """`light` or `dark`; empty: the system's."""
    found = request.cookies.get(THEME, "")
    return found if found in THEMES else ""


def zone_of(request: Request, usual: str) -> ZoneInfo:
    """In which moments are shown; the usual one where none was chosen, or one that nobody knows."""
    return known_zone(unquote(request.cookies.get(ZONE, ""))) or known_zone(usual) or ZoneInfo("UTC")


def known_zone(name: str) -> ZoneInfo | None:
    """A zone by its name; None where there is none."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def keep(answer: Response, name: str, value: str) -> None:
    """Let the browser keep a choice for a year; empty: forget it. Scripts may read it."""
    answer.set_cookie(name, quote(value, safe=""), max_age=_YEAR if value else 0, samesite="lax")


def say_once(answer: Response, request: Request, text: str) -> None:
    """Let the next page say it."""
    cut = text if len(text) <= _MOST_SAID else f"{text[: _MOST_SAID - 1]}…"
    answer.set_cookie(_said(request), quote(cut, safe=""), max_age=_MINUTE, httponly=True, samesite="lax")


def said(request: Request) -> str:
    """What was to be said."""
    return unquote(request.cookies.get(_said(request), ""))[:_MOST_SAID]


def forget_said(answer: Response, request: Request) -> None:
    """It is said."""
    if _said(request) in request.cookies:
        answer.set_cookie(_said(request), "", max_age=0, httponly=True, samesite="lax")


def _said(request: Request) -> str:
    """One for each port, which cookies do not tell apart."""
    return f"{_SAID}-{urlsplit(str(request.url)).port or 0}"
