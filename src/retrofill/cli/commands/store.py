"""`retrofill store ...`"""

from __future__ import annotations

import click

from retrofill.cli.grammar import Group
from retrofill.cli.session import Session, pass_session, say
from retrofill.domain.words import many


@click.group(cls=Group)
def store() -> None:
    """The store as a whole: its schema, its soundness, its place."""


@store.command("migrate")
@pass_session
def migrate(session: Session) -> None:
    """Make the store, or bring its schema to that of this version.

    Every command does it by itself where it has to; done before, none of them has to wait for it.
    """
    document = session.call.center.upkeep.migrate_store()
    before = document["from"]
    how = "is current" if before == document["to"] else f"was {before}" if before else "was made"
    session.document(document, lambda: click.echo(f"The store has schema {document['to']}; it {how}."))


@store.command("copy")
@click.option("--to", "url", metavar="URL", required=True, help="A database of a server, or `embedded`.")
@pass_session
def copy(session: Session, url: str) -> None:
    """Copy the whole store, which nobody may use meanwhile, to a PostgreSQL server or back.

    URL is postgresql://USER:${secret:NAME}@HOST/DATABASE, of a database that holds nothing yet; `embedded`
    is the file of this folder. Counts and checksums of both are compared before the copy counts.
    """
    document = session.call.center.upkeep.copy_store(url)
    tables = len(document["tables"])
    session.document(
        document,
        lambda: click.echo(
            f"Copied {many(document['rows'], 'row')} of {many(tables, 'table')} to {document['to']}; both hold the same."
        ),
    )
    say("The store that was read stays as it is. The copy is used once `store` or RETROFILL_STORE names it.")


@store.command("check")
@pass_session
def check(session: Session) -> int:
    """Look for damaged data, and hold all counters against the states that they count."""
    found = session.center.upkeep.check_store()
    session.document({"problems": found}, lambda: click.echo("\n".join(found) or "The store is sound."))
    return 1 if found else 0


COMMANDS: dict[str, click.Command] = {"store": store}
