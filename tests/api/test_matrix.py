"""Every route, asked by every role, about what is their own and what is foreign (SEC-1, SEC-2, SEC-4).

Routes are found by themselves: a new one fails here until somebody has decided who may.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from httpx import Response

from api.matrix import ALL, DECISIONS, HERE, MEMBERS, THERE, USERS, Decision, Target, World
from api.servers import Server, problem, serving
from retrofill.api import routes
from retrofill.api.links import PREFIX
from retrofill.domain.people.scopes import Scope

ROUTES = {
    operation.id: (method, PREFIX + path, operation)
    for module in routes.ALL
    for method, path, operation in module.routes.operations
}
HIDDEN = re.compile(r"vault|goldmine|aurum|greta")
DONE, REFUSED, UNKNOWN = "done", "not_permitted", "unknown"


def test_somebody_has_decided_on_every_operation() -> None:
    """A new route has a row, and a row that nothing needs is gone."""
    assert DECISIONS.keys() == {name for name, (*_, operation) in ROUTES.items() if operation.scope}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("matrix")) as served:
        yield served


@pytest.fixture
def asked(name: str, shared: Server, request: pytest.FixtureRequest) -> Server:
    """The server that all share, but for what changes more than its target."""
    own: Server = request.getfixturevalue("server") if DECISIONS[name].lasting else shared
    return own


Find = Callable[[World, str], Target]


@pytest.fixture
def find(name: str, asked: Server, looked_at: dict[World, Target]) -> Find:
    """A target for who asks; questions are all asked of the same."""
    decision = DECISIONS[name]
    is_untouched = ROUTES[name][0] == "GET" or decision.alone
    if decision.lasting or decision.prepared or not is_untouched:
        return lambda world, letter: target(asked, world, letter, decision)
    return lambda world, letter: looked_at[world]._replace(letter=letter)


@pytest.fixture(scope="module")
def looked_at(shared: Server) -> dict[World, Target]:
    return {world: target(shared, world, "S", DECISIONS["backfills.show"]) for world in (HERE, THERE)}


def target(server: Server, world: World, letter: str, decision: Decision) -> Target:
    """Things of a world that nobody has touched, made by the system administrator."""
    chosen = ("open.first", "open.last") if world is HERE else ("vault.goldmine",)
    number = server.create("admin", task=chosen, bizdate=("2026-01-05",))
    row = next(server.center("admin").instances.each(of(number)))
    made = Target(server, world, letter, number, row["id"])
    if decision.prepared is not None:
        decision.prepared(made)
    elif not decision.lasting:
        server.center("admin").backfills.pause(number)
    return made


def of(number: int) -> Any:
    from retrofill.domain.running.searches import InstanceSearch

    return InstanceSearch(backfills=(number,))


def ask(name: str, client: Any, decision: Decision, made: Target) -> Response:
    method, path, _ = ROUTES[name]
    known = {"backfill_id": made.backfill_id, "instance_id": made.instance_id, "task": made.world.task}
    for place in re.findall(r"{(\w+)}", path):
        value = decision.fills[place](made) if place in decision.fills else known[place]
        path = path.replace(f"{{{place}}}", str(value))
    body = None if decision.body is None else decision.body(made)
    answer: Response = client.request(method, path, params=decision.query, json=body)
    return answer


def outcome(answer: Response) -> str:
    """What became of it: of a batch, of its first item. What only does not fit the state, is permitted."""
    if answer.status_code < 300:
        is_json = answer.headers.get("content-type", "") == "application/json"
        items = answer.json().get("items") if is_json and isinstance(answer.json(), dict) else None
        kind = items[0].get("kind") if items and isinstance(items[0], dict) and "ok" in items[0] else None
        return DONE if kind in (None, "wrong_state") else str(kind)
    kind = str(problem(answer, answer.status_code)["kind"])
    return DONE if kind == "wrong_state" else kind


@pytest.mark.parametrize("name", DECISIONS)
def test_who_may(name: str, asked: Server, find: Find) -> None:
    """SEC-4: on what belongs to `open`."""
    decision = DECISIONS[name]
    expected, found = {}, {}
    for letter, user in USERS.items():
        stranger = decision.stranger or (UNKNOWN if "revoke" in name else REFUSED)
        others = UNKNOWN if "revoke" in name or name in ("versions.file", "people.end_session") else REFUSED
        expected[letter] = DONE if letter in decision.may else stranger if letter == "F" else others
        answer = ask(name, asked.by(user), decision, find(HERE, letter))
        found[letter] = outcome(answer)
        if letter not in "SF":
            assert not HIDDEN.search(answer.text), (letter, answer.text[:500])
    assert found == expected


@pytest.mark.parametrize("name", [name for name, one in DECISIONS.items() if not one.alone])
def test_what_is_foreign_is_unknown(name: str, asked: Server, find: Find) -> None:
    """SEC-2: to every member of `open`, whatever they are; and so the right belongs to the workspace, not to the role."""
    decision = DECISIONS[name]
    for letter in MEMBERS:
        found = outcome(ask(name, asked.by(USERS[letter]), decision, find(THERE, letter)))
        is_theirs = decision.fills.get("name") is not None  # people are known to whoever asks by name
        operates_nothing = (
            letter == "V" and ROUTES[name][2].needs is not None
        )  # anywhere: nothing is looked up
        expected = DONE if letter == "S" else REFUSED if is_theirs or operates_nothing else UNKNOWN
        assert (letter, found) == (letter, expected)


@pytest.mark.parametrize("name", [name for name, (*_, operation) in ROUTES.items() if operation.scope])
def test_a_token_reaches_as_far_as_its_scope(name: str, shared: Server) -> None:
    """SEC-1: whatever its user may do; and nothing else is looked at before."""
    method, path, operation = ROUTES[name]
    path = re.sub(r"{\w+}", "999999999", path)  # whoever may, ends or revokes nothing that the next one needs
    assert problem(shared.anybody.request(method, path), 401)["code"] == "not_signed_in"
    for scope in Scope:
        answer = shared.scoped(scope).request(method, path)
        is_refused = answer.status_code == 403 and answer.json()["code"] in (
            "scope_too_small",
            "worker_token",
        )
        assert is_refused != scope.covers(operation.scope), (scope, answer.text)


def test_all_letters_are_users() -> None:
    assert {*ALL} == USERS.keys()
    assert all({*one.may} <= {*ALL} for one in DECISIONS.values())
