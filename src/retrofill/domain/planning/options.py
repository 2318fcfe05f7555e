"""The options of a policy as one table: all that is known of each, but what it does (chapter 6 of the rules).

An option is a field of `Policy` and a row here. Made from the rows: options of the command line, JSON,
what can change while a backfill runs, words, the JSON Schema of a policy, and the reference page.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import MISSING
from typing import Any, NamedTuple

from retrofill.domain.errors import InvalidValueError, UsageError, shown
from retrofill.domain.inputs import Given, Input, is_given
from retrofill.domain.planning.option_forms import (
    Around,
    Chains,
    Dates,
    Form,
    Json,
    Name,
    Names,
    Period,
    Settings,
    Switch,
    Telling,
    TimeOfDay,
    WebAddress,
    Whole,
    Word,
)
from retrofill.domain.planning.policy import (
    MOST_GROUPS,
    PRIORITIES,
    AcrossGroups,
    AlertMethod,
    Barrier,
    FailurePolicyError,
    GroupCountError,
    OnFailure,
    Order,
    Policy,
    PriorityError,
)
from retrofill.domain.texts import Option, Text


class PolicyDocumentError(InvalidValueError):
    """Write the policy as the reference of policies says; what a newer program stored, only that can read."""

    code = "bad_policy"


class PolicyOption(NamedTuple):
    """One option.

    Attributes:
        name: its key in JSON; with blanks for `_` its name in words.
        form: how it is written.
        inputs: the one that it needs, then those that go with that; none where nobody gives it.
        field: of `Policy`, where it is called otherwise.
        is_asked: whether it is given when a backfill is created.
        is_changeable: whether it can be changed while the backfill runs (BF-3).
        without: the word for None; empty where there is always a value.
        removing: the input that makes it None in a change.
    """

    name: str
    form: Form
    inputs: tuple[Input, ...] = ()
    field: str = ""
    is_asked: bool = True
    is_changeable: bool = False
    without: str = ""
    removing: Input | None = None

    @property
    def key(self) -> str:
        """The name of its field."""
        return self.field or self.name

    @property
    def changing(self) -> tuple[Input, ...]:
        """The inputs of a change."""
        return self.inputs if self.removing is None else (*self.inputs, self.removing)

    def written(self, one: Input) -> str:
        """What stands after one of its inputs; empty for a switch."""
        return one.written or (self.form.written if one == self.inputs[0] else "")

    @property
    def help(self) -> str:
        return self.inputs[0].help if self.inputs else self.form.__doc__ or ""

    @property
    def default(self) -> Any:
        """What it is when nobody says; MISSING where somebody must."""
        field = Policy.__dataclass_fields__[self.key]
        return field.default if field.default_factory is MISSING else field.default_factory()

    @property
    def default_words(self) -> str:
        """Empty where it goes without saying: nothing, or no."""
        return self.words(self.default) if self.default not in (MISSING, None, False, {}) else ""

    @property
    def schema(self) -> Json:
        schema = self.form.schema
        return {"anyOf": [schema, {"type": "null"}]} if self.without else schema

    def words(self, value: Any) -> str:
        """A value, for people."""
        return self.without if value is None else self.form.words(value)

    def to_json(self, value: Any) -> Any:
        return None if value is None else self.form.to_json(value)

    def from_json(self, data: Any) -> Any:
        """The value that `to_json` wrote.

        Raises:
            PolicyDocumentError: there is no such value.
        """
        if data is None and self.without:
            return None
        try:
            return self.form.from_json(data)
        except (ArithmeticError, LookupError, TypeError, ValueError):
            raise PolicyDocumentError(f'"{self.name}" cannot be {shown(json.dumps(data)[:100])}') from None

    def read(self, given: Given, around: Around) -> Any:
        """The value that a person means; MISSING where nothing is given, None where it is taken away.

        Args:
            given: texts and switches of its inputs.

        Raises:
            UsageError: inputs that do not go together, or texts in a wrong form.
        """
        found = [one.name for one in self.inputs if is_given(given, one.name)]
        removing = None if self.removing is None else self.removing.name
        is_removed = removing is not None and is_given(given, removing)
        if not found:
            return None if is_removed else MISSING
        first = self.inputs[0].name
        if found[0] != first:
            raise UsageError(Text("{one} goes with {other}", one=Option(found[0]), other=Option(first)))
        if removing is not None and is_removed:
            one, other = Option(first), Option(removing)
            raise UsageError(
                Text("{one} and {other} do not go together", one=one, other=other), "Give one of the two."
            )
        return self.form.read(around, *(given.get(one.name) for one in self.inputs))

    def given(self, value: Any) -> Given:
        """What `read` reads this value from; of what can be changed."""
        if value is None and self.removing is not None:
            return {self.removing.name: True}
        return dict(zip((one.name for one in self.inputs), self.form.texts(value), strict=True))


GROUPS = Whole(
    range(1, MOST_GROUPS + 1), GroupCountError, f"is not a number of groups from 1 to {MOST_GROUPS}"
)
PRIORITY = Whole(PRIORITIES, PriorityError, "is no priority: there are 1, 3, 5, 7 and 8")
FAILURES = Whole(range(1, 1_000_000_000), FailurePolicyError, "is no number of failures to pause at")

OPTIONS = (
    PolicyOption(
        "bizdates",
        Dates(),
        (Input("bizdate", "Business dates: YYYY-MM-DD, yesterday, -7d..yesterday (repeat).", is_many=True),),
        field="ranges",
    ),
    PolicyOption(
        "time_range",
        TimeOfDay(),
        (Input("time_range", "Only slots in this time of day, both ends included."),),
    ),
    PolicyOption(
        "groups",
        GROUPS,
        (
            Input(
                "groups",
                "Chains of dates that run side by side, 1 to 10; a change deals those that have not begun.",
            ),
        ),
        is_changeable=True,
    ),
    PolicyOption("order", Word(Order), (Input("order", "By business date."),)),
    PolicyOption("barrier", Word(Barrier), (Input("barrier", "What the next date of a group waits for."),)),
    PolicyOption(
        "across_groups",
        Word(AcrossGroups),
        (Input("across_groups", "Previous-cycle waits between groups."),),
    ),
    PolicyOption(
        "run_future",
        Switch(),
        (Input("run_future", "Start future dates as soon as they have elapsed, not at their time."),),
    ),
    PolicyOption(
        "window",
        Period(),
        (
            Input("window", "Start instances only in this time of day."),
            Input("weekends", "The window is open on weekends only."),
        ),
        is_changeable=True,
        without="none",
        removing=Input("no_window", "Start instances at any time of the day."),
    ),
    PolicyOption(
        "priority",
        PRIORITY,
        (Input("priority", "For all its instances, however old their dates."),),
        is_asked=False,
        is_changeable=True,
        without="own",
        removing=Input("own_priority", "Each task's own priority again."),
    ),
    PolicyOption(
        "resource_group",
        Name(),
        (Input("resource_group", "Run in this resource group.", "G"),),
        is_changeable=True,
        without="own",
        removing=Input("own_resource_group", "Each task's own resource group again."),
    ),
    PolicyOption("regrouped", Chains(), is_asked=False, without="none"),
    PolicyOption(
        "alert",
        Telling(),
        (
            Input("alert", "Tell the creator how it ended."),
            Input("alert_by", "How to tell (default both).", "|".join(AlertMethod)),
        ),
        without="none",
    ),
    PolicyOption(
        "notify",
        WebAddress(),
        (Input("notify", "Post to this web address how it ended."),),
        without="none",
    ),
    PolicyOption("webhooks", Names(), is_asked=False),
    PolicyOption("allow_risks", Switch(), (Input("allow_risks", "Run although verification finds a risk."),)),
    PolicyOption(
        "on_failure",
        Word(OnFailure),
        (Input("on_failure", "Whether the next dates of a group wait until what failed is mended."),),
        is_changeable=True,
    ),
    PolicyOption(
        "max_failures",
        FAILURES,
        (Input("max_failures", "Pause by itself when so many instances have failed."),),
        is_changeable=True,
        without="none",
        removing=Input("no_max_failures", "However many fail, it does not pause by itself."),
    ),
    PolicyOption("overrides", Settings(), (Input("set", "Override a parameter (repeat).", is_many=True),)),
)
ASKED = tuple(option for option in OPTIONS if option.is_asked)
CHANGEABLE = tuple(option for option in OPTIONS if option.is_changeable)


def read_all(options: Iterable[PolicyOption], given: Given, around: Around) -> dict[str, Any]:
    """New values by fields of `Policy`, as far as any are given; `given` as in `PolicyOption.read`."""
    values = {option.key: option.read(given, around) for option in options}
    return {key: value for key, value in values.items() if value is not MISSING}


def to_json(policy: Policy) -> Json:
    """Plain values for storage; `from_json` gives an equal policy."""
    return {option.name: option.to_json(getattr(policy, option.key)) for option in OPTIONS}


def from_json(data: Mapping[str, Any]) -> Policy:
    """The policy that `to_json` wrote; what an older program did not write has its default.

    Raises:
        PolicyDocumentError: something that is no option, or none of its values.
        InvalidValueError: values that do not go together.
    """
    known = {option.name for option in OPTIONS}
    if strangers := sorted(data.keys() - known):
        raise PolicyDocumentError(f'a policy has no "{shown(strangers[0])}"')
    if "bizdates" not in data:
        raise PolicyDocumentError("the policy names no bizdates")
    return Policy(**{o.key: o.from_json(data[o.name]) for o in OPTIONS if o.name in data})


def schema() -> Json:
    """The JSON Schema of what `from_json` accepts.

    It cannot say that a range's end does not lie before its start, nor that a window's ends differ.
    """
    properties = {}
    for option in OPTIONS:
        default = {} if option.default is MISSING else {"default": option.to_json(option.default)}
        properties[option.name] = {**option.schema, "description": option.help, **default}
    never = {"on_failure": {"const": OnFailure.CONTINUE.value}, "barrier": {"const": Barrier.TASK.value}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Policy of a backfill",
        "type": "object",
        "properties": properties,
        "required": ["bizdates"],
        "additionalProperties": False,
        "not": {"properties": never, "required": [*never]},
    }
