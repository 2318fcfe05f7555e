"""Pages as text. Values are put in by Jinja, which escapes all of them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from retrofill.domain.texts import Option, Step, Text
from retrofill.web import looks
from retrofill.web.loom import loom
from retrofill.web.static_files import address_of
from retrofill.web.steps import place_of
from retrofill.web.terminal import painted

if TYPE_CHECKING:
    from retrofill.web.frame import Frame


@dataclass(frozen=True, kw_only=True)
class Page:
    """What one page holds; its fields are the names that its template knows.

    Attributes:
        template: the file in `templates/`.
        nav: which entry of the rail it belongs to.
        title: of the window.
        events: the address of the stream that says when it is out of date; empty: nothing does.
    """

    template: ClassVar[str]
    nav: ClassVar[str] = ""
    title: str
    events: str = ""


def html(page: Page, frame: Frame | None = None, block: str | None = None) -> str:
    """A page as a browser gets it.

    Args:
        frame: what stands around it; None: nothing, as before somebody has signed in.
        block: only this part of it, as scripts fetch it.
    """
    template = environment().get_template(page.template)
    values = {**_values(page), "frame": frame, "nav": page.nav}
    if block is None:
        return template.render(values)
    context = template.new_context({**values, "is_part": True})
    next(template.root_render_func(context), None)  # makes known the blocks of the templates that it extends
    if block not in context.blocks:
        raise UnknownPartError(block)
    return "".join(context.blocks[block][0](context))


class UnknownPartError(KeyError):
    """A page has no part of this name."""


def _values(page: Page) -> dict[str, Any]:
    return {"is_part": False, **{field.name: getattr(page, field.name) for field in fields(page)}}


@cache
def environment() -> Environment:
    """Of all templates."""
    found = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    found.filters |= {
        "count": looks.count,
        "instant": instant,
        "day": looks.day,
        "long_day": looks.long_day,
        "took": looks.took,
        "cut": looks.middle_cut,
        "sentence": sentence,
        "told": told,
        "painted": painted,
        "bytes": looks.size,
        "segments": looks.segments,
        "bar_words": looks.bar_words,
        "path": looks.part_of_address,
    }
    found.globals |= {
        "static": address_of,
        "look": looks.look,
        "state_words": looks.state_words,
        "backfill_words": looks.backfill_words,
        "days": looks.days,
        "query": looks.query,
        "loom": loom,
    }
    found.globals["m"] = found.get_template("_macros.html").module
    return found


def told(text: Text | str) -> Markup:
    """A sentence of the core, in which steps are links to where they are done."""
    if isinstance(text, str):
        return escape(text)
    return Markup("").join(
        part if isinstance(part, Markup) else escape(part) for part in map(_told, text.parts)
    )


def _told(part: str | Step | Option) -> Markup | str:
    if isinstance(part, str):
        return part
    if isinstance(part, Option):
        return (
            part.name.replace("_", " ")
            if part.value is None
            else f"{part.name.replace('_', ' ')} {part.value}"
        )
    place = place_of(part)
    return str(part) if place is None else Markup('<a href="{}">{}</a>').format(*place)


def sentence(text: Text | str) -> Markup:
    """Told from a capital to a full stop."""
    found = told(text)
    first = str(found).partition(" ")[0].rstrip(".")
    if found[:1].isalpha() and not {".", "_"} & {*first}:  # names stay as they are
        found = Markup("{}{}").format(found[0].upper(), found[1:])
    return found if not found or found[-1] in ".!?" else Markup("{}.").format(found)


@pass_context
def instant(context: Context, iso: str | None, absent: str = "–") -> Markup | str:
    """A moment of a document, in the zone that is shown.

    Args:
        absent: what stands where there is none.
    """
    if iso is None:
        return absent
    frame: Frame = context["frame"]
    found = looks.moment(iso, frame.zone, frame.now)
    form = '<time datetime="{}" title="{}">{}&nbsp;<span class="faint">{}</span></time>'
    return Markup(form).format(found.iso, found.full, found.text, found.zone)  # noqa: S704  (values are escaped)
