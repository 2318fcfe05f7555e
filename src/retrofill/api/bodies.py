"""What is asked for with a backfill, as JSON: one field for each input that the tables of the core have.

Values are written as on the command line (`"bizdate": ["2013-01-01..2013-01-31"]`); whole numbers may be numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, AwareDatetime, Field, create_model

from retrofill.api.requests import MOST_CHARACTERS, MOST_WORDS, Asked, Commented, Word
from retrofill.domain.inputs import Given, Input
from retrofill.domain.planning.options import ASKED, CHANGEABLE
from retrofill.domain.selection.asking import INPUTS

_DIGEST = "The digest of the plan that was agreed to; another plan is refused with `plan_changed`."


def _within_calendars(moment: datetime) -> datetime:
    """The first and last days lie outside of calendars in other time zones."""
    if not date.min < moment.date() < date.max - timedelta(days=365):
        raise ValueError("is too near to the first or the last day of calendars")
    return moment


_Moment = Annotated[AwareDatetime, AfterValidator(_within_calendars)]


class _Request(Asked):
    """What to backfill, and how; `GET /api/v1/openapi.json` lists all fields, of which one way of choosing is needed."""

    name: str | None = Field(
        None, max_length=MOST_CHARACTERS, description="The backfill's name; null: made from the first root."
    )

    @property
    def given(self) -> Given:
        return _given(self.model_dump(exclude={"expected", "now", "comment"}))


class _Planned(_Request):
    """A backfill to be planned."""

    now: _Moment | None = Field(None, description="Plan as if it were that moment.")

    @property
    def moment(self) -> datetime | None:
        return self.now


class _Created(_Request):
    """A backfill to be created."""

    expected: str | None = Field(None, description=_DIGEST, max_length=64)
    comment: str = Field("", max_length=MOST_CHARACTERS, description="Why; it is kept in the record.")


class _Changed(Commented):
    """How a backfill runs from now on; what is left out stays."""

    @property
    def given(self) -> Given:
        return _given(self.model_dump(exclude={"comment"}))


def _given(values: dict[str, Any]) -> Given:
    """As the core reads it: a text, texts, or True."""
    return {
        name: tuple(value) if isinstance(value, list) else str(value) if type(value) is int else value
        for name, value in values.items()
        if value not in (None, False, [])
    }


def _fields(inputs: Iterable[tuple[Input, str]]) -> Iterator[tuple[str, Any]]:
    """Names, types and descriptions of inputs with what is written after each."""
    for one, written in inputs:
        about = f"{one.help} Written as `{written}`." if written else one.help
        if one.is_many:
            kind: Any = Annotated[list[Word], Field(fail_fast=True, max_length=MOST_WORDS)]
            yield one.name, (kind, Field([], description=about))
        elif written:
            text = Annotated[str, Field(max_length=MOST_CHARACTERS)]
            yield one.name, (text | int | None, Field(None, description=about))
        else:
            yield one.name, (bool, Field(False, description=about))


_CHOICE = [(one, one.written) for one in INPUTS]
_POLICY = [(one, option.written(one)) for option in ASKED for one in option.inputs]
_CHANGE = [(one, option.written(one)) for option in CHANGEABLE for one in option.changing]

if TYPE_CHECKING:
    PlanBody = _Planned
    CreateBody = _Created
    ChangeBody = _Changed
else:
    _asked = dict(_fields([*_CHOICE, *_POLICY]))
    PlanBody = create_model("PlanBody", __base__=_Planned, **_asked)
    CreateBody = create_model("CreateBody", __base__=_Created, **_asked)
    ChangeBody = create_model("ChangeBody", __base__=_Changed, **dict(_fields(_CHANGE)))
