"""From which columns the columns that a task writes come."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from sqlglot import exp
from sqlglot.errors import OptimizeError
from sqlglot.lineage import Node, to_node
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import build_scope
from sqlglot.schema import MappingSchema

from retrofill.domain.catalog.lineage import ColumnLineage, ColumnRef
from retrofill.lineage.sql.blanks import without_blanks
from retrofill.lineage.sql.names import Names
from retrofill.lineage.sql.scripts import Script


def columns_of(script: Script) -> tuple[ColumnLineage, ...]:
    """The lineage of every column that INSERT ... SELECT, CREATE ... AS or SELECT INTO writes.

    Columns are known from the CREATE TABLE statements of the task itself. `*` stands for all
    columns of a table where they are not known. A column whose table cannot be told is left out.
    """
    tracer = _Tracer(script)
    for statement, _ in script.statements:
        with contextlib.suppress(
            Exception
        ):  # whatever a parser stumbles over; the tables are known all the same
            tracer.add(statement)
    merged: dict[ColumnRef, set[ColumnRef]] = {}
    for target, sources in tracer.found:
        merged.setdefault(target, set()).update(sources)
    return tuple(sorted(ColumnLineage(target, tuple(sorted(s))) for target, s in merged.items()))


_LONG_CHAIN = 8


class _Tracer:
    """Goes through the statements in order; remembers columns of tables and queries of temporary ones."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.names: Names = script.names
        self.dialect = script.place.dialect or None
        self.schema = MappingSchema(dialect=self.dialect)
        self.found: list[tuple[ColumnRef, list[ColumnRef]]] = []
        self._declared: dict[str, list[str]] = {}
        self._queries: dict[str, exp.Query] = {}  # of tables inside the task

    def add(self, statement: exp.Expr) -> None:
        for target, columns, query in _written(statement):
            name = self.names.table(target)
            if name is None:
                continue
            if query is None:
                self._declare(name, target, columns)
                continue
            known = [without_blanks(self.names.identifier(c)) for c in columns] or self._declared.get(
                name, []
            )
            if self.script.is_inner(name):
                self._queries.setdefault(_key(target), query)
                continue
            for column, sources in self._trace(query, known):
                self.found.append((ColumnRef(self.script.table(name), column), sources))

    def _declare(self, name: str, target: exp.Table, columns: list[exp.Expr]) -> None:
        if columns and name not in self._declared:
            self._declared[name] = [self.names.identifier(column) for column in columns]
            typed = {column.sql(dialect=self.dialect): "text" for column in columns}
            try:
                self.schema.add_table(target.copy(), typed, dialect=self.dialect)
            except Exception:  # names with a different number of parts, for one, cannot be kept together
                return

    def _trace(self, query: exp.Query, known: list[str]) -> Iterator[tuple[str, list[ColumnRef]]]:
        """Each output column with its sources."""
        try:
            expanded = exp.expand(balanced(query.copy()), dict(self._queries), dialect=self.dialect)
            scope = build_scope(self._qualified(expanded))
            if scope is None or not isinstance(scope.expression, exp.Query):
                return
            selects = scope.expression.selects
            has_star = any(select.is_star for select in selects)
            for position, select in enumerate(selects):
                node = to_node(position, scope, self.dialect, schema=self.schema, trim_selects=False)
                sources = sorted({ref for leaf in _leaves(node) for ref in self._source(leaf)})
                if not has_star and position < len(known):
                    column = known[position]
                elif select.is_star:
                    column = "*"
                else:
                    column = without_blanks(self.names.identifier(_output(select)))
                yield column, sources
        except Exception:  # whatever a parser stumbles over in users' text
            return  # the tables are known all the same

    def _qualified(self, query: exp.Expr) -> exp.Expr:
        """The query with every column's table, as far as it can be told.

        An alias that is used again in the same SELECT may be a column's name as well, and a column
        in a subquery may be one of the outer query: where only the columns of all tables would
        tell, such names are left alone.
        """
        last: OptimizeError | None = None
        fewer: tuple[dict[str, Any], ...] = (
            {},
            {"expand_alias_refs": False},
            {"qualify_columns": False},
        )
        for less in fewer:
            try:
                return qualify(
                    query.copy(),
                    dialect=self.dialect,
                    schema=self.schema,
                    validate_qualify_columns=False,
                    quote_identifiers=False,
                    identify=False,
                    **less,
                )
            except OptimizeError as error:
                last = error
        assert last is not None
        raise last

    def _source(self, leaf: Node) -> Iterator[ColumnRef]:
        """The column of a table that a leaf stands for."""
        table = leaf.expression
        if not isinstance(table, exp.Table):
            return
        name = self.names.table(table)
        if name is not None and not self.script.is_inner(name):
            column = leaf.name.rpartition(".")[2].strip('"`[]')
            yield ColumnRef(self.script.table(name), without_blanks(self.names.normalized(column)))


def balanced(query: exp.Query) -> exp.Query:
    """The same query with long chains of UNION as trees: as chains they cost the square of their length."""
    tops = [
        node
        for node in query.find_all(exp.SetOperation)
        if not isinstance(node.parent, exp.SetOperation) or node.arg_key != "this"
    ]
    for top in tops:
        branches = [top.expression]
        node = top.this
        while isinstance(node, exp.SetOperation) and not node.args.get("by_name"):
            branches.append(node.expression)
            node = node.this
        branches = [node, *reversed(branches)]
        if len(branches) > _LONG_CHAIN and not top.args.get("by_name"):
            middle = len(branches) // 2
            top.set("this", _tree(branches[:middle]))
            top.set("expression", _tree(branches[middle:]))
    return query


def _tree(branches: list[exp.Expr]) -> exp.Expr:
    if len(branches) == 1:
        return branches[0]
    middle = len(branches) // 2
    return exp.Union(this=_tree(branches[:middle]), expression=_tree(branches[middle:]), distinct=False)


def _leaves(node: Node) -> Iterator[Node]:
    seen: set[int] = set()
    stack = [node]
    while stack:
        found = stack.pop()
        if id(found) in seen:
            continue
        seen.add(id(found))
        if found.downstream:
            stack.extend(found.downstream)
        else:
            yield found


def _written(statement: exp.Expr) -> Iterator[tuple[exp.Table, list[exp.Expr], exp.Query | None]]:
    """Target, its columns as far as the statement names them, and the query; without one it declares columns."""
    if isinstance(statement, exp.MultitableInserts):
        source = statement.args["source"]
        for insert in statement.find_all(exp.Insert):
            yield from _written(_with_source(insert, source))
        return
    if isinstance(statement, exp.Select) and isinstance(into := statement.args.get("into"), exp.Into):
        if not isinstance(into.this, exp.Table):
            return  # variables
        shown = statement.copy()
        shown.set("into", None)
        yield into.this, [], shown
        return
    if isinstance(statement, exp.Cache):
        if isinstance(statement.this, exp.Table) and isinstance(statement.expression, exp.Query):
            yield statement.this, [], statement.expression
        return
    if not isinstance(statement, exp.Insert | exp.Create):
        return
    target, columns = statement.this, []
    if isinstance(target, exp.Schema):
        columns = [c.this if isinstance(c, exp.ColumnDef) else c for c in target.expressions]
        columns = [c for c in columns if isinstance(c, exp.Identifier)]
        target = target.this
    query = statement.expression
    if isinstance(query, exp.Subquery):
        query = query.unnest()
    if not isinstance(target, exp.Table):
        return
    if isinstance(query, exp.Query):
        yield target, columns, _with_outer(query, statement.args.get("with_"))
    elif isinstance(statement, exp.Create):
        yield target, columns, None


def _with_source(insert: exp.Insert, source: exp.Expr) -> exp.Insert:
    """Hive: `FROM source INSERT INTO t SELECT ...` as an INSERT of its own."""
    query = insert.expression
    if isinstance(query, exp.Select) and query.args.get("from_") is None and isinstance(source, exp.Table):
        insert = insert.copy()
        insert.expression.set("from_", exp.From(this=source.copy()))
    return insert


def _with_outer(query: exp.Query, clause: exp.Expr | None) -> exp.Query:
    """The query with the WITH clause that stood before INSERT."""
    if clause is None:
        return query
    query = query.copy()
    inner = query.args.get("with_")
    outer = clause.copy()
    if inner is not None:
        outer.set("expressions", [*outer.expressions, *inner.expressions])
    query.set("with_", outer)
    return query


def _output(select: exp.Expr) -> exp.Expr:
    """The identifier of an output column, made up where it has none."""
    alias = select.args.get("alias")
    if isinstance(alias, exp.Identifier):
        return alias
    return exp.to_identifier(select.alias_or_name or select.sql())


def _key(target: exp.Table) -> str:
    return exp.table_name(target)
