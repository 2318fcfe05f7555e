"""Pages as text. Values are put in by Jinja, which escapes all of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from retrofill.web.loom import loom

if TYPE_CHECKING:
    from jinja2 import Environment

STATIC = Path(__file__).parent / "static"


class SignInPage(NamedTuple):
    """What somebody sees who has not signed in.

    Attributes:
        provider: what a provider of identities is called; None: there is none.
        goes_to: the path at which they want to be.
        user: whom they have named already.
        error: why that came to nothing.
    """

    project: str
    provider: str | None
    goes_to: str = "/"
    user: str = ""
    error: str = ""


class LinkPage(NamedTuple):
    """What somebody sees who has opened a link that signs them in, and who confirms it."""

    project: str
    user: str
    secret: str


class HomePage(NamedTuple):
    """What somebody sees who has signed in.

    Attributes:
        person: the document of who they are.
        notice: what became of what they have just done; `error`: why it came to nothing.
    """

    project: str
    person: Mapping[str, Any]
    notice: str = ""
    error: str = ""


class RefusalPage(NamedTuple):
    """Why there is nothing to see."""

    message: str
    hint: str


_TEMPLATES = {
    SignInPage: "sign_in.html",
    LinkPage: "link.html",
    HomePage: "home.html",
    RefusalPage: "refusal.html",
}


def html(page: SignInPage | LinkPage | HomePage | RefusalPage) -> str:
    """A page as a browser gets it."""
    return _environment().get_template(_TEMPLATES[type(page)]).render(page._asdict(), loom=loom())


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    folder = Path(__file__).parent / "templates"
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
