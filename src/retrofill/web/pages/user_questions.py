"""What is asked before a system administrator changes what somebody may do, or how they sign in.

`/users/{user}/ask?act=administrator` asks; the answer is sent to the act itself (`users`). Each question says what follows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, NamedTuple
from urllib.parse import quote

from retrofill.domain.errors import UnknownNameError, shown
from retrofill.domain.words import many
from retrofill.web.rendering import Page
from retrofill.web.visits import page

if TYPE_CHECKING:
    from starlette.responses import Response

    from retrofill.services.operation_center.people import PeopleDesk
    from retrofill.services.reading.documents import UserRow
    from retrofill.web.visits import PageVisit


class Question(NamedTuple):
    """One, as it is asked about somebody.

    Attributes:
        effects: what follows, a sentence each.
        go, stay: the answers.
        fields: what the answer sends.
    """

    title: str
    effects: Sequence[str]
    go: str
    stay: str
    fields: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class UserQuestionPage(Page):
    """A question about a user; `action`: where its answer goes."""

    template: ClassVar[str] = "user_ask.html"
    user: str
    effects: Sequence[str]
    go: str
    stay: str
    fields: Mapping[str, str]
    action: str
    back: str


def _administrator(people: PeopleDesk, row: UserRow, given: Mapping[str, str]) -> Question:
    user = row["user"]
    if row["administrator"]:
        return Question(
            f"Take system administration from {user}?",
            ("They see and do what their roles allow, from their next click on.",),
            "Take it from them",
            "Leave it as it is",
            {"is_administrator": ""},
        )
    effects = (
        "They see every workspace, and may run, stop and change everything in it.",
        "They may make users, sign them out and read the whole record of operations.",
    )
    return Question(
        f"Make {user} system administrator?", effects, "Make them administrator", "Leave it as it is",
        {"is_administrator": "1"},
    )  # fmt: skip


def _remove_password(people: PeopleDesk, row: UserRow, given: Mapping[str, str]) -> Question:
    count = len([one for one in people.sessions(row["user"]) if one["ended_at"] is None])
    effects = (
        f"They are signed out of {many(count, 'browser')} now."
        if count
        else "They are signed in nowhere now.",
        "They come in again by a link that you make for them, and can set a new password then.",
    )
    return Question(f"Remove the password of {row['user']}?", effects, "Remove it", "Keep the password")


def _sign_out(people: PeopleDesk, row: UserRow, given: Mapping[str, str]) -> Question:
    count = len([one for one in people.sessions(row["user"]) if one["ended_at"] is None])
    effects = ("What they have typed and not sent is kept where they sign in again. Tokens go on.",)
    title = f"Sign {row['user']} out of {many(count, 'browser')}?"
    return Question(title, effects, "Sign them out", "Leave them signed in")


def _revoke(people: PeopleDesk, row: UserRow, given: Mapping[str, str]) -> Question:
    kind = "key" if given.get("key") else "token"
    rows = people.access_keys(row["user"]) if kind == "key" else people.tokens(row["user"])
    number = given.get(kind, "")
    one = next((one for one in rows if str(one["id"]) == number and one["revoked_at"] is None), None)
    what = "access key" if kind == "key" else "token"
    if one is None:
        raise UnknownNameError(f"{row['user']} has no {what} {shown(number)} that opens anything")
    effects = (
        f"Programs of {row['user']} that show it are refused from then on; its scope is {one['scope']}.",
        "That cannot be taken back; they can make a new one.",
    )
    return Question(
        f"Revoke the {what} {one['label'] or one['id']}?", effects, "Revoke it", "Keep it", {kind: number}
    )


def _remove(people: PeopleDesk, row: UserRow, given: Mapping[str, str]) -> Question:
    effects = (
        "Their contacts, their password and what they keep in forms are forgotten; they are signed out now.",
        "Their tokens and access keys open nothing any more.",
        "Their backfills run on, and what they have done stays on record under their name.",
    )
    return Question(f"Remove {row['user']}?", effects, "Remove them", "Keep them")


ASK: Mapping[str, Callable[[PeopleDesk, UserRow, Mapping[str, str]], Question]] = MappingProxyType(
    {
        "administrator": _administrator,
        "remove-password": _remove_password,
        "sign-out": _sign_out,
        "revoke": _revoke,
        "remove": _remove,
    }
)


def ask(visit: PageVisit, user: str) -> Response:
    """The question; counted now."""
    people, act = visit.center.people, visit.query.get("act", "administrator")
    row = next((row for row in people.users() if row["user"] == user), None)
    if row is None:
        raise UnknownNameError(f'there is no user "{shown(user)}"')
    if act not in ASK:
        raise UnknownNameError(
            f'"{shown(act)}" is nothing that is asked about users', f"There are {', '.join(ASK)}."
        )
    back = f"/users/{quote(user, safe='')}"
    found = ASK[act](people, row, visit.query)
    return visit.show(UserQuestionPage(**found._asdict(), user=user, action=f"{back}/{act}", back=back))


ROUTES = [page("/users/{user}/ask", ask)]
