"""What one parsed statement reads and writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from sqlglot import exp

from retrofill.lineage.sql.names import Names


@dataclass
class Effects:
    """Names of tables by what a statement does to them."""

    reads: list[str] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    temporary: list[str] = field(default_factory=list)  # exist for this task only
    made: list[str] = field(default_factory=list)  # did not exist before, so what they hold is its own
    created: list[str] = field(default_factory=list)  # may have existed before
    dropped: list[str] = field(default_factory=list)
    renamed: list[tuple[str, str]] = field(default_factory=list)
    is_shown: bool = False  # a query whose rows only go to the log


def effects_of(statement: exp.Expr, names: Names) -> Effects | None:
    """What a statement does; nothing for one that touches no table's rows, None where that is not known."""
    if type(statement) not in _HANDLERS and not isinstance(statement, _CONCERNED):
        return None
    effects = Effects()
    targets = _targets(statement, names, effects)
    effects.is_shown = (
        isinstance(statement, exp.Query | exp.Pivot) and not effects.writes and not effects.temporary
    )
    if targets is not None:
        effects.reads += read_names(statement, names, targets)
    return effects


def _targets(statement: exp.Expr, names: Names, effects: Effects) -> set[int] | None:
    """Note what is written; ids of the nodes that name it, None where nothing is read either."""
    handler = _HANDLERS.get(type(statement))
    if handler is not None:
        return handler(statement, names, effects)
    found = _changed(statement)
    for query in statement.find_all(exp.CTE):  # PostgreSQL: WITH d AS (DELETE ... RETURNING ...)
        if isinstance(query.this, exp.DML):
            found += _changed(query.this)
    _note(effects.writes, found, names)
    for into in statement.find_all(exp.Into):
        _note(effects.temporary if into.args.get("temporary") else effects.writes, [into.this], names)
        found.append(into.this)
    if isinstance(statement, exp.LoadData):
        effects.reads += [names.file(path) for path in _loaded(statement)]
    return {id(_table(node)) for node in found}


def _changed(statement: exp.Expr) -> list[exp.Expr]:
    """The nodes that name the tables whose rows a statement changes."""
    if isinstance(statement, exp.TruncateTable):
        return list(statement.expressions)
    if isinstance(statement, exp.MultitableInserts):
        return [insert.this for insert in statement.find_all(exp.Insert)]
    if isinstance(statement, exp.Update | exp.Delete):
        return _changed_by_alias(statement)
    return [] if isinstance(statement, exp.Query | exp.Pivot) else [statement.this]


def _loaded(statement: exp.LoadData) -> list[str]:
    """The files of LOAD DATA: a path, or BigQuery's list of addresses."""
    path, files = statement.args.get("inpath"), statement.args.get("files")
    if path is not None:
        return [path.name]
    return _addresses(files) if files is not None else []


def _addresses(properties: exp.Expr) -> list[str]:
    """The values of the properties `uri` and `uris`."""
    return [
        literal.name
        for option in properties.find_all(exp.Property)
        if option.name.lower() in ("uri", "uris")
        for literal in option.find_all(exp.Literal)
    ]


def _query_alone(statement: exp.Expr, names: Names, effects: Effects) -> set[int]:
    """Assignments and declarations: what their queries read."""
    return set()


def _export(statement: exp.Expr, names: Names, effects: Effects) -> set[int]:
    options = statement.args.get("options")
    if options is not None:
        effects.writes += [names.file(path) for path in _addresses(options)]
    return set()


def _put(statement: exp.Expr, names: Names, effects: Effects) -> None:
    """Files of the machine into a stage, or the other way round."""
    this, target = statement.this, statement.args.get("target")
    ends = [names.file(node.name) for node in (this, target) if isinstance(node, exp.Literal | exp.Var)]
    effects.reads += ends[:1]
    effects.writes += ends[1:]


def _drop(statement: exp.Expr, names: Names, effects: Effects) -> None:
    _note(effects.dropped, statement.args.get("tables") or (), names)


def _cache(statement: exp.Expr, names: Names, effects: Effects) -> set[int]:
    _note(effects.temporary, [statement.this], names)
    return {id(_table(statement.this))}


def _create(statement: exp.Expr, names: Names, effects: Effects) -> set[int] | None:
    table = _table(statement.this)
    if statement.args["kind"] not in ("TABLE", "VIEW") or table is None:
        return {id(table)} if isinstance(statement.expression, exp.Query) else None
    properties = statement.args.get("properties")
    copied = statement.args.get("clone")
    fed = properties.find(exp.ToTableProperty) if properties is not None else None
    if fed is not None:  # ClickHouse: a view that fills another table
        _note(effects.writes, [fed.this], names)
    elif properties is not None and properties.find(exp.TemporaryProperty):
        _note(effects.temporary, [table], names)
    else:
        _note(effects.created if statement.args.get("exists") else effects.made, [table], names)
        if statement.expression is not None or copied is not None:
            _note(effects.writes, [table], names)
    if copied is not None:
        _note(effects.reads, [copied.this], names)
    if statement.expression is None:
        return None  # the columns alone: what they refer to is not read
    return {id(table), id(_table(fed.this) if fed is not None else None)}


def _alter(statement: exp.Expr, names: Names, effects: Effects) -> None:
    """Dropped partitions and renamed tables change rows; columns do not."""
    table = _table(statement.this)
    if table is None:
        return
    for action in statement.args.get("actions") or ():
        if isinstance(action, exp.AlterRename):
            old, new = names.table(table), names.beside(_table(action.this) or table, table)
            if old and new:
                effects.renamed.append((old, new))
        elif isinstance(action, exp.SwapTable):
            _note(effects.writes, [table, action.this], names)
        elif isinstance(action, exp.DropPartition | exp.Delete | exp.Update | exp.ReplacePartition):
            _note(effects.writes, [table], names)
    source = next((n for n in statement.find_all(exp.Table) if n is not table), None)
    if source is not None and statement.find(exp.ReplacePartition):
        _note(effects.reads, [source], names)


def _copy(statement: exp.Expr, names: Names, effects: Effects) -> set[int]:
    """COPY: from files into a table, or from a table or query into files."""
    files = [
        names.table(node) if isinstance(node, exp.Table) else names.file(node.name)
        for node in statement.args.get("files") or ()
        if isinstance(node, exp.Table | exp.Literal)
    ]
    found = [name for name in files if name is not None]
    skipped = {id(node) for node in statement.args.get("files") or ()}
    if not statement.args.get("kind"):
        effects.writes += found
        return skipped
    effects.reads += found
    _note(effects.writes, [statement.this], names)
    return skipped | {id(_table(statement.this))}


def _changed_by_alias(statement: exp.Update | exp.Delete) -> list[exp.Expr]:
    """What UPDATE and DELETE change: the first name may be an alias of a table that stands further on."""
    first = list(statement.args.get("tables") or [statement.this])
    others: dict[str, exp.Expr] = {
        node.alias_or_name.lower(): node for node in statement.find_all(exp.Table) if node.alias
    }
    if isinstance(statement.this, exp.Expr) and statement.this is not first[0]:
        others.setdefault(statement.this.alias_or_name.lower(), statement.this)
    changed: list[exp.Expr] = []
    for node in first:
        is_alias = isinstance(node, exp.Table) and not node.args.get("db") and not node.alias
        named = others.get(node.name.lower()) if is_alias else None
        changed += [node] if named is None else [named]
        if named is not None:
            node.replace(exp.Placeholder())  # it is a name of another table here, and no table
    return changed


_CONCERNED = exp.Query | exp.Pivot | exp.DML | exp.TruncateTable | exp.MultitableInserts | exp.LoadData
_HANDLERS: dict[type[exp.Expr], Callable[[exp.Expr, Names, Effects], set[int] | None]] = {
    exp.Create: _create,
    exp.Drop: _drop,
    exp.Alter: _alter,
    exp.Cache: _cache,
    exp.Copy: _copy,
    exp.Declare: _query_alone,
    exp.Set: _query_alone,
    exp.Values: _query_alone,
    exp.Export: _export,
    exp.Put: _put,
    exp.Get: _put,
}


def _table(node: exp.Expr | None) -> exp.Table | None:
    if isinstance(node, exp.Schema | exp.Directory):
        node = node.this
    return node if isinstance(node, exp.Table) else None


def _note(kind: list[str], nodes: Iterable[exp.Expr], names: Names) -> None:
    for node in nodes:
        if isinstance(node, exp.Func):  # ClickHouse: INSERT INTO FUNCTION s3(...)
            kind += names.tables(exp.Table(this=node.copy()))
            continue
        if isinstance(node, exp.Directory):
            kind.append(names.file(node.this.name))
            continue
        table = _table(node)
        name = names.table(table) if table is not None else None
        if name is not None:
            kind.append(name)


def read_names(root: exp.Expr, names: Names, skipped: set[int]) -> Iterator[str]:
    """Every table in a tree that is no name of a WITH clause around it.

    A name of a WITH clause holds in the names after it and in the query; in its own query only
    where the clause is recursive.
    """
    stack: list[tuple[exp.Expr, frozenset[str]]] = [(root, frozenset())]
    while stack:
        node, hidden = stack.pop()
        if isinstance(node, exp.Hint):
            continue  # it names tables by their aliases
        if isinstance(node, exp.Table) and id(node) not in skipped:
            is_hidden = not node.args.get("db") and names.identifier(node.this) in hidden
            if not is_hidden:
                yield from names.tables(node)
        clause = node.args.get("with_")
        if clause is not None:
            hidden = _push_with(clause, hidden, names, stack)
        if isinstance(node, exp.Select) and names.place.dialect == "bigquery":
            skipped |= _unnested(node)
        stack.extend((child, hidden) for child in node.iter_expressions() if child is not clause)


def _push_with(
    clause: exp.Expr, hidden: frozenset[str], names: Names, stack: list[tuple[exp.Expr, frozenset[str]]]
) -> frozenset[str]:
    """Push the queries of a WITH clause; the names that are hidden after it."""
    own = [names.identifier(query.args["alias"].this) for query in clause.expressions]
    before = hidden | frozenset(own) if clause.args.get("recursive") else hidden
    for query, name in zip(clause.expressions, own, strict=True):
        stack.append((query.this, before))
        before |= {name}
    return before


def _unnested(select: exp.Select) -> set[int]:
    """In BigQuery `FROM t, t.items` the second is a column of the first; `FROM t.t` is a table."""
    first = select.args.get("from_")
    sources = [(first.this, False)] if first is not None else []
    sources += [
        (join.this, join.args.get("on") is not None or join.args.get("using") is not None)
        for join in select.args.get("joins") or ()
    ]
    before: set[str] = set()
    found = set()
    for node, has_condition in sources:
        parts = node.parts if isinstance(node, exp.Table) else []
        if len(parts) > 1 and parts[0].name.lower() in before and not has_condition:
            found.add(id(node))
        if node.alias_or_name:
            before.add(node.alias_or_name.lower())
    return found
