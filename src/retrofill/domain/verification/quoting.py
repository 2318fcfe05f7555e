"""Whether what a backfill sets stays a value where it stands in SQL (PAR-5)."""

from __future__ import annotations

from collections.abc import Iterator

from retrofill.domain.catalog.dialects import dialect_of
from retrofill.domain.planning.overrides import sample_of
from retrofill.domain.planning.plan import Plan
from retrofill.domain.verification.findings import Finding


def ended_quotes(plan: Plan) -> Iterator[Finding]:
    """`ended_quotes`: a value that ends the quotes around it, as `O'Hara` does in `'${name}'`."""
    for name, values in plan.policy.overrides.items():
        task = plan.catalog.tasks[name]
        if not task.type.traits.is_sql:
            continue
        from retrofill.domain.catalog.sql_standing import ends_quotes

        dialect = dialect_of(plan.catalog.connections.get(task.connection) or "")
        for parameter, text in values.items():
            if ends_quotes(task.code, parameter, sample_of(text), dialect):
                yield Finding.of(
                    "ended_quotes",
                    f"The value that {name}.{parameter} is set to ends the quotes around it, and goes on as SQL.",
                    (name,),
                )
