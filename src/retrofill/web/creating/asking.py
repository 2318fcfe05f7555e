"""What a form asks for, as the core reads it; and a form out of what was asked for before, or stands in an address."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from retrofill.domain.planning.policy import WHOLE_DAY
from retrofill.domain.time.windows import clock
from retrofill.web.creating.typed import ALL, FIELDS, LINK, PICK, WAYS, WORKSPACE, Typed

if TYPE_CHECKING:
    from retrofill.domain.inputs import Given
    from retrofill.services.reading.documents import ChoosableTask

_DAY_FROM, _DAY_TO = map(clock, WHOLE_DAY)
_PLAIN = (
    "groups",
    "order",
    "barrier",
    "across_groups",
    "on_failure",
    "max_failures",
    "resource_group",
    "notify",
)
Below = Sequence["ChoosableTask"]


def given_of(typed: Typed, below: Below = ()) -> Given:
    """What the core reads; what has no value is left out.

    Args:
        below: the chosen roots and what lies below them, where tasks are picked.
    """
    found: dict[str, Any] = {"name": typed.one("name") or None, **_choice(typed, below), **policy_of(typed)}
    return {name: value for name, value in found.items() if value not in (None, False, ())}


def has_tasks(typed: Typed) -> bool:
    """Whether enough is chosen to ask for a plan."""
    needed = {PICK: ("task",), LINK: ("from", "to"), WORKSPACE: ("root",), ALL: ("all_descendants",)}
    return all(any(map(str.strip, typed.all(name))) for name in needed[typed.way])


def has_dates(typed: Typed) -> bool:
    return any(first or last for first, last in typed.rows)


# Tasks


def _choice(typed: Typed, below: Below) -> dict[str, Any]:
    if typed.way == LINK:
        return {"from": typed.one("from"), "to": typed.all("to"), "exclude": typed.all("skip")}
    if typed.way == WORKSPACE:
        return {
            "root": typed.one("root"),
            "workspace": typed.all("workspace"),
            "no_root": typed.has("no_root"),
            "include": typed.all("include"),
            "exclude": typed.all("exclude"),
        }
    if typed.way == ALL:
        return {"all_descendants": typed.one("all_descendants"), "exclude": typed.all("exclude")}
    roots = typed.all("task")
    norun = tuple(name for name in typed.all("norun") if name in roots)
    return {"task": roots, "exclude": norun, **_descendants(typed, below)}


def _descendants(typed: Typed, below: Below) -> dict[str, Any]:
    """By level where whole levels are chosen, so that a request stays short and says what is meant."""
    wanted = picked(typed, below)
    if not wanted:
        return {}
    levels = levels_of(below)
    for level in levels:
        if wanted == {one["task"] for one in below if 0 < one["level"] <= level and one["permitted"]}:
            return {"descendants": "all" if level == levels[-1] else str(level)}
    return {"descendants": "all", "only": tuple(sorted(wanted))}


def picked(typed: Typed, below: Below) -> set[str]:
    """Descendants that are chosen, as far as they are there and may be run."""
    there = {one["task"] for one in below if one["level"] > 0 and one["permitted"]}
    return there & set(typed.all("only"))


def levels_of(below: Below) -> list[int]:
    """Levels on which there is anything that may be run."""
    return sorted({one["level"] for one in below if one["level"] > 0 and one["permitted"]})


def with_levels(typed: Typed, below: Below, were: Sequence[str]) -> Typed:
    """Levels that were ticked bring in all of their tasks, those that were not any more take them away.

    Args:
        were: levels that were ticked when the page was shown.
    """
    now = set(typed.all("level"))
    for level in {*now} ^ {*were}:
        names = [one["task"] for one in below if str(one["level"]) == level and one["permitted"]]
        typed = typed.added("only", *names) if level in now else typed.without("only", *names)
    return typed.replaced(level=())


# How


def policy_of(typed: Typed) -> dict[str, Any]:
    """Inputs of all options, by their names."""
    usual = {name: "".join(FIELDS[name]) for name in _PLAIN}
    found: dict[str, Any] = {
        name: typed.one(name) for name in _PLAIN if typed.one(name) not in ("", usual[name])
    }
    alert = typed.one("alert")
    return {
        **found,
        "bizdate": tuple(_range(first, last) for first, last in typed.rows if first or last),
        "time_range": _time_range(typed),
        "run_future": typed.has("run_future"),
        "window": _window(typed),
        "weekends": typed.one("window") == "weekends",
        "alert": alert or None,
        "alert_by": (typed.one("alert_by") or None) if alert else None,
        "set": tuple(f"{name}={value}" for name, value in typed.overrides if name),
        "allow_risks": not typed.has("strict"),
    }


def _range(first: str, last: str) -> str:
    return f"{first}..{last}" if first and last and first != last else first or last


def _time_range(typed: Typed) -> str | None:
    times = (typed.one("time_from") or _DAY_FROM, typed.one("time_to") or _DAY_TO)
    return None if times == (_DAY_FROM, _DAY_TO) else "-".join(times)


def _window(typed: Typed) -> str | None:
    if not typed.one("window"):
        return None
    return f"{typed.one('window_from')}-{typed.one('window_to')}"


# Back


def typed_of_query(query: Mapping[str, Sequence[str]]) -> Typed:
    """A form out of an address that names inputs as every request does; what is not understood stays as it is written."""
    names = {**query}
    fields: dict[str, Sequence[str]] = {
        name: names[name] for name in ("name", "reason", *_PLAIN) if names.get(name)
    }
    fields |= {name: names[name] for name in ("alert", "alert_by", "run_future") if names.get(name)}
    typed = Typed.fresh(**fields, **_chosen_in(names)).with_rows(map(_ends, names.get("bizdate", ())))
    if names.get("time_range"):
        first, _, last = names["time_range"][-1].partition("-")
        typed = typed.replaced(time_from=(first,), time_to=(last,))
    if names.get("window"):
        opens, _, closes = names["window"][-1].partition("-")
        kind = "weekends" if names.get("weekends") else "daily"
        typed = typed.replaced(window=(kind,), window_from=(opens,), window_to=(closes,))
    if names.get("allow_risks"):
        typed = typed.replaced(strict=())
    return typed.with_overrides(_cut(text, "=") for text in names.get("set", ()))


def _chosen_in(names: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    if names.get("from") or names.get("to"):
        return {"way": (LINK,), **_some(names, "from", "to"), "skip": names.get("exclude", ())}
    if names.get("root"):
        return {"way": (WORKSPACE,), **_some(names, "root", "workspace", "no_root", "include", "exclude")}
    if names.get("all_descendants"):
        return {"way": (ALL,), **_some(names, "all_descendants", "exclude")}
    way = (names.get("way") or (PICK,))[-1]
    wanted = way if way in WAYS else PICK
    return {"way": (wanted,), **_some(names, "task", "only"), "norun": names.get("exclude", ())}


def _some(names: Mapping[str, Sequence[str]], *wanted: str) -> dict[str, Sequence[str]]:
    return {name: names[name] for name in wanted if names.get(name)}


def _ends(text: str) -> tuple[str, str]:
    first, dots, last = text.partition("..")
    return (first, last) if dots else (first, first)


def _cut(text: str, at: str) -> tuple[str, str]:
    name, _, value = text.partition(at)
    return name, value


def descendants_in(level: str, below: Below) -> tuple[str, ...]:
    """Descendants down to a level, or `all`."""
    most = int(level) if level.isascii() and level.isdigit() and len(level) < 7 else None
    if most is None and level != "all":
        return ()
    return tuple(
        one["task"] for one in below if 0 < one["level"] <= (most or one["level"]) and one["permitted"]
    )


def _name(name: str | None) -> tuple[str, ...]:
    """Of a task; nothing where it may not be told."""
    return () if name is None else (name,)


def typed_of_request(request: Mapping[str, Any], below_of: Callable[[Sequence[str]], Below]) -> Typed:
    """A form that asks for the same as an earlier backfill.

    What a backfill does not tell, as the whole of an address that is posted to, stays empty.

    Args:
        request: choice and policy, as the document of a backfill has them.
        below_of: what lies below tasks.
    """
    return typed_of_query({**_names_of_choice(request["selection"], below_of), **_names_of_policy(request)})


def _names_of_choice(
    chosen: Mapping[str, Any], below_of: Callable[[Sequence[str]], Below]
) -> dict[str, Sequence[str]]:
    exclude = {"exclude": chosen["exclude"]}
    match chosen["way"]:
        case "link":
            return {"from": _name(chosen["start"]), "to": chosen["ends"], **exclude}
        case "workspace":
            no_root = {} if chosen["include_root"] else {"no_root": ("on",)}
            return {
                "root": _name(chosen["root"]),
                "workspace": chosen["workspaces"],
                "include": chosen["include"],
                **no_root,
                **exclude,
            }
        case "all_descendants":
            return {"all_descendants": _name(chosen["root"]), **exclude}
    roots, level = chosen["roots"], chosen["descendants"]
    only = tuple(chosen["only"]) or descendants_in(str(level or ""), below_of(roots) if level else ())
    left_out = set(chosen["exclude"])
    return {
        "task": roots,
        "only": [name for name in only if name not in left_out],
        "exclude": [name for name in roots if name in left_out],
    }


def _names_of_policy(policy: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """By names of inputs."""
    overrides = policy.get("overrides") or {}
    found: dict[str, Sequence[str]] = {
        "bizdate": policy["bizdates"],
        "set": [f"{task}.{name}={text}" for task, texts in overrides.items() for name, text in texts.items()],
    }
    plain = (
        "groups",
        "order",
        "barrier",
        "across_groups",
        "on_failure",
        "time_range",
        "max_failures",
        "resource_group",
    )
    found |= {name: (str(policy[name]),) for name in plain if policy.get(name) is not None}
    found |= {name: ("on",) for name in ("run_future", "allow_risks") if policy.get(name)}
    if window := policy.get("window"):
        found |= {"window": (window["period"],), "weekends": ("on",) if window["weekends"] else ()}
    if alert := policy.get("alert"):
        found |= {"alert": (alert["trigger"],), "alert_by": (alert["method"],)}
    return found
