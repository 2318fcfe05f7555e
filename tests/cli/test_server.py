"""The command line with RETROFILL_URL, as far as no server need answer."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from e2e.sandboxes import Sandbox

pytestmark = pytest.mark.beside_store("the address is the test's own")
TOKEN = "retrofill_do-not-tell-anybody"


@pytest.fixture
def url() -> Iterator[str]:
    """An address at which nothing listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@pytest.mark.parametrize("command", ["backfill list", "deploy"])
def test_a_server_that_cannot_be_reached(filled: Sandbox, url: str, command: str) -> None:
    """CAT-1: whoever sets RETROFILL_URL means another store than the folder's; exit 7."""
    result = filled.call(*command.split(), status=7, RETROFILL_URL=url, RETROFILL_TOKEN=TOKEN)
    assert f"{url} cannot be reached: nothing listens there" in result.stderr
    assert TOKEN not in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    "command",
    ["scheduler", "backup x.db", "restore x.db", "store migrate", "store copy --to embedded"],
)
def test_what_works_beside_the_store_refuses(filled: Sandbox, url: str, command: str) -> None:
    """In one sentence, and without asking the server."""
    result = filled.call(*command.split(), status=2, RETROFILL_URL=url, RETROFILL_TOKEN=TOKEN)
    name = " ".join(word for word in command.split()[:2] if word.isalpha())
    assert f"`retrofill {name}` works beside the store, and RETROFILL_URL names a server" in result.stderr
    assert result.stderr.count("\n") == 2


def test_a_folder_is_checked_where_it_is(project: Sandbox, url: str) -> None:
    """`check`, `init` and `schema` ask nobody."""
    checked = project.call("check", RETROFILL_URL=url, RETROFILL_TOKEN=TOKEN)
    assert checked == project.call("check")
    project.call("schema", RETROFILL_URL=url)
    project.call("init", "another", RETROFILL_URL=url)


def test_a_token_is_needed(project: Sandbox, url: str) -> None:
    result = project.call("backfill", "list", status=2, RETROFILL_URL=url)
    assert "RETROFILL_TOKEN is not set" in result.stderr
    told = " ".join(result.stderr.split())
    assert "`retrofill token create` makes one on the server's machine" in told
    assert "with RETROFILL_URL unset" in told


def test_a_password_in_the_address_is_not_repeated(project: Sandbox) -> None:
    url = "https://alice:hush@retrofill.example"
    result = project.call("backfill", "list", status=2, RETROFILL_URL=url, RETROFILL_TOKEN=TOKEN)
    assert "hush" not in result.stderr


def test_completions_are_empty_where_nobody_answers(project: Sandbox, url: str) -> None:
    """A shell that waits for them is no place for an error."""
    completing = {
        "_RETROFILL_COMPLETE": "bash_complete",
        "COMP_WORDS": "retrofill task show ",
        "COMP_CWORD": "3",
    }
    result = project.run(RETROFILL_URL=url, RETROFILL_TOKEN=TOKEN, **completing)
    assert (result.stdout.strip(), result.stderr) == ("", "")
