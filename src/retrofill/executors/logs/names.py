"""The names of runs, as their logs and their journals' records carry them."""

from __future__ import annotations


def run_name(instance_id: int, run_number: int, token: str) -> str:
    """The name of a run in files and marks: `INSTANCE.RUN.TOKEN`.

    Raises:
        ValueError: the token is no plain word, so it cannot be part of a file's name.
    """
    name = f"{instance_id}.{run_number}.{token}"
    if not (token.isascii() and token.replace("-", "").replace("_", "").isalnum()):
        raise ValueError(f"a run's token must consist of letters, digits, - and _: {token!r}")
    return name


def parse_name(name: str) -> tuple[int, int, str] | None:
    """Instance id, run number and token of a run's name, None for anything else."""
    instance, _, rest = name.partition(".")
    number, _, token = rest.partition(".")
    if not (instance.isdigit() and number.isdigit() and token and len(instance) < 19 and len(number) < 10):
        return None
    parsed = int(instance), int(number), token
    try:
        return parsed if run_name(*parsed) == name else None
    except ValueError:
        return None
