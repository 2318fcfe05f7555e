"""What a statement is called in PostgreSQL."""

from __future__ import annotations

import pytest

from retrofill.store.dialects import postgresql

SAID = {
    "SELECT 1 FROM t WHERE a = ? AND b IN (?, ?)": "SELECT 1 FROM t WHERE a = $1 AND b IN ($2, $3)",
    "UPDATE t SET a = ?2 WHERE id = ?1": "UPDATE t SET a = $2 WHERE id = $1",
    "SELECT a FROM t ORDER BY a LIMIT ?": "SELECT a FROM t ORDER BY a LIMIT nullif($1, -1)",
    "SELECT a FROM (SELECT a FROM t LIMIT ?3)": "SELECT a FROM (SELECT a FROM t LIMIT nullif($3, -1))",
    "SELECT a FROM t LIMIT 1": "SELECT a FROM t LIMIT 1",
    "SELECT a FROM t INDEXED BY t_a WHERE b": "SELECT a FROM t WHERE b",
    "SELECT 1 FROM t CROSS JOIN u ON u.a = t.a": (
        "SELECT 1 FROM t CROSS JOIN LATERAL (SELECT * FROM u u WHERE u.a = t.a OFFSET 0) u"
    ),
    "SELECT 1 FROM (SELECT 1 FROM t CROSS JOIN u x INDEXED BY u_a ON x.a = (t.a + 1) WHERE b)": (
        "SELECT 1 FROM (SELECT 1 FROM t CROSS JOIN LATERAL (SELECT * FROM u x WHERE x.a = (t.a + 1) OFFSET 0) x WHERE b)"
    ),
    "SELECT 1 FROM t CROSS JOIN u ON u.a = t.a CROSS JOIN v ON v.a = u.a LIMIT ?": (
        "SELECT 1 FROM t CROSS JOIN LATERAL (SELECT * FROM u u WHERE u.a = t.a OFFSET 0) u "
        "CROSS JOIN LATERAL (SELECT * FROM v v WHERE v.a = u.a OFFSET 0) v LIMIT nullif($1, -1)"
    ),
    "SELECT instr(lower(name), ?)": "SELECT strpos(lower(name), $1)",
    "SELECT group_concat(a, '') FROM t": "SELECT string_agg(a, '') FROM t",
    "SELECT max(id), min(id) FROM t": "SELECT max(id), min(id) FROM t",
    "SELECT max(a, coalesce(b, 0))": "SELECT greatest(a, coalesce(b, 0))",
    "SELECT max(coalesce(a, 0))": "SELECT max(coalesce(a, 0))",
    "SELECT min(max(a, 1), 2)": "SELECT least(greatest(a, 1), 2)",
    'SELECT user, "user", user_name FROM user': 'SELECT "user", "user", user_name FROM "user"',
    "SELECT 'max(a, b) ? user', ?": "SELECT 'max(a, b) ? user', $1",
}


@pytest.mark.parametrize("statement", SAID)
def test_what_postgresql_calls_it(statement: str) -> None:
    """POL-13: one statement for both stores."""
    assert postgresql(statement) == SAID[statement]


def test_ids_are_a_table() -> None:
    said = postgresql("SELECT i.id FROM json_each(?) j CROSS JOIN instance i ON i.id = j.value LIMIT ?")
    assert "json_each" not in said
    assert "json_array_elements_text(CAST($1 AS json))" in said
    assert said.endswith("WHERE i.id = j.value OFFSET 0) i LIMIT nullif($2, -1)")
