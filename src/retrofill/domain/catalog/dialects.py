"""Which SQL a connection speaks, by its URL's scheme."""

from __future__ import annotations

import re

# A scheme that is not here is its own dialect, or plain SQL.
_DIALECTS = {
    "postgresql": "postgres",
    "postgres": "postgres",
    "cockroachdb": "postgres",
    "hologres": "postgres",
    "mariadb": "mysql",
    "odps": "hive",
    "maxcompute": "hive",
    "mssql": "tsql",
    "sqlserver": "tsql",
    "awsathena": "athena",
    "sparksql": "spark",
    "sc": "spark",  # Spark Connect
    "gbq": "bigquery",
    "ch": "clickhouse",
}
# Whatever stands before the last `@` may be a password.
_URL = re.compile(r"(?P<scheme>[\w.-]+)(?:\+[\w.-]+)?:(?://)?(?:.*@)?(?P<rest>[^?#]*)", re.DOTALL)


def scheme_and_rest(url: str) -> tuple[str, str]:
    """The scheme without a driver, in lower case, and what follows but for users and options."""
    match = _URL.match(url)
    return (match["scheme"].casefold(), match["rest"]) if match else ("", "")


def dialect_of(url: str) -> str:
    """The name of a URL's SQL, as sqlglot calls those that it knows; empty where there is no scheme."""
    scheme, _ = scheme_and_rest(url)
    return _DIALECTS.get(scheme, scheme)
