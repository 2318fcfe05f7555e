"""Strict YAML: text -> nodes that know their place.

Only the part of YAML that people mean: mappings with text keys, lists, scalars. Aliases,
anchors, tags, repeated keys and further documents are refused. The nodes are put together
from parser events rather than by the library's composer, which recurses in C and would
expand aliases. Lines and columns count from 1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from retrofill.project.problems import Report

MAX_DEPTH = 50
MAX_KEY_LENGTH = 300
MAX_EVENTS = 800_000  # keys, values and ends of collections; 20,000 tasks have some 400,000
_MAX_DIGITS = 18

Place = tuple[int, int]


class _Unreadable(Exception):
    """Nothing after this place can be read."""

    def __init__(self, place: Place, message: str, hint: str) -> None:
        super().__init__(message)
        self.place, self.message, self.hint = place, message, hint


# The value of a node that was refused: reported once, and left out of everything that follows.
REFUSED = object()


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """A plain scalar that some YAML readers take for something other than text.

    `kind` says for what: "a number", "true or false", "a date", "a time".
    """

    raw: str
    kind: str

    def __str__(self) -> str:
        return self.raw


class Node:
    """A scalar, a list or a mapping.

    `value` holds plain Python values all the way down, `raw` a scalar's text, `items` a
    list's nodes, `entries` a mapping's key places and value nodes. `style` is a scalar's
    quoting: "" for plain, else `'`, `"`, `|` or `>`.
    """

    __slots__ = ("column", "entries", "items", "line", "raw", "style", "value")

    def __init__(self, value: Any, line: int, column: int, raw: str = "", style: str = "") -> None:
        self.value = value
        self.line = line
        self.column = column
        self.raw = raw
        self.style = style
        self.items: list[Node] | None = None
        self.entries: dict[str, tuple[Place, Node]] | None = None

    @property
    def place(self) -> Place:
        return self.line, self.column

    def key_place(self, key: str) -> Place:
        """Where a key of this mapping stands; the mapping's own place if it has no such key."""
        if self.entries is not None and key in self.entries:
            return self.entries[key][0]
        return self.place

    def find(self, *path: str | int) -> Node | None:
        """The node at the end of a path of keys and indexes, or None."""
        node = self
        for step in path:
            if isinstance(step, int) and node.items is not None and step < len(node.items):
                node = node.items[step]
            elif isinstance(step, str) and node.entries is not None and step in node.entries:
                node = node.entries[step][1]
            else:
                return None
        return node

    def names(self) -> tuple[str, ...]:
        """A mapping's keys."""
        return tuple(self.entries or ())


# What YAML 1.1 or 1.2 readers do not take for text, by the characters it may begin with.
_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_OLD_BOOL = re.compile(r"yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF")
_INT = re.compile(rf"[-+]?(0|[1-9][0-9]{{0,{_MAX_DIGITS - 1}}})")
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?")
_TIME = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")
_NUMBER = re.compile(
    r"[-+]?(0x[0-9a-fA-F_]+|0b[01_]+|0o[0-7_]+|[0-9][0-9_]*"
    r"|(\.[0-9][0-9_]*|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?"
    r"|\.(inf|Inf|INF))|\.(nan|NaN|NAN)"
)
_NOT_TEXT_STARTS = frozenset("-+.0123456789~nNyYtTfFoO")


@lru_cache(maxsize=20_000)  # the same keys and words come again and again
def plain_value(raw: str) -> str | int | bool | Ambiguous | None:
    """The value of a scalar without quotes, by YAML 1.2 where YAML 1.1 agrees, else `Ambiguous`."""
    if raw and raw[0] not in _NOT_TEXT_STARTS:
        return raw
    if _NULL.fullmatch(raw):
        return None
    if _BOOL.fullmatch(raw):
        return raw[0] in "tT"
    if _OLD_BOOL.fullmatch(raw):
        return Ambiguous(raw, "true or false")
    if _INT.fullmatch(raw):
        return int(raw)
    for pattern, kind in ((_DATE, "a date"), (_TIME, "a time"), (_NUMBER, "a number")):
        if pattern.fullmatch(raw):
            return Ambiguous(raw, kind)
    return raw


def compose(path: str, data: bytes, report: Report) -> Node | None:
    """The root node of a file of YAML, a mapping; None where it cannot be read at all.

    Everything that is not strict YAML is reported. Nodes that were refused stay, with the
    value `REFUSED`, so that their keys do not count as missing.

    Args:
        path: named in the report.
        data: UTF-8 without a byte order mark.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(data)
    try:
        return _Composer(path, loader, report).document()
    except _Unreadable as error:
        report.add(path, error.place, error.message, error.hint)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        lines = data.decode("utf-8").splitlines()
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        if place[0] > len(lines):  # the file's end, which is told in its last line
            place = (len(lines), len(lines[-1]) + 1)
        report.add(path, place, *_syntax_words(error, lines[place[0] - 1], place[1]))
    except yaml.reader.ReaderError as error:
        report.add(
            path,
            place_of(data, error.position),
            "a control character, which YAML does not allow",
            "remove it",
        )
    finally:
        loader.dispose()
    return None


def place_of(data: bytes, offset: int) -> Place:
    """Line and column of a byte of UTF-8 text."""
    before = data[: max(offset, 0)]
    line_start = before.rfind(b"\n") + 1
    return before.count(b"\n") + 1, len(before[line_start:].decode("utf-8", "replace")) + 1


def _syntax_words(error: Any, line: str, column: int) -> tuple[str, str]:
    """Message and hint for a syntax error, by what stands at its place."""
    found = line[column - 1 : column]
    problem = f"{error.problem or ''} {error.context or ''}"
    if "\t" in (found, line[:1]) or "tab character" in problem:
        return "a tab cannot indent", "use spaces"
    if found and found in "@`%" and "cannot start any token" in problem:
        return (
            f"text that begins with {found} must stand in quotes",
            f'for example "{line[column - 1 :].strip()}"',
        )
    if "scanning an alias" in problem:
        return "text that begins with * must stand in quotes", 'for example "*/5 * * * *"'
    if "mapping values are not allowed" in problem:
        return "a second colon in one line", "put text that holds a colon and a space in quotes"
    if "flow" in problem and re.search(r"\$[{\[]", line[:column]):
        return "text with brackets inside of { } or [ ]", 'put it in quotes, for example {day: "${yyyymmdd}"}'
    words = ": ".join(part for part in (error.context, error.problem) if part) or "it cannot be read"
    start, end = error.context_mark, error.problem_mark
    if start and end and start.line < end.line - 1:
        words += f"; it began in line {start.line + 1}"
    return f"not valid YAML ({words})", "check indentation, colons, brackets and quotes here and above"


class _Composer:
    """Builds nodes from events with an explicit stack, so that depth costs no recursion."""

    def __init__(self, path: str, loader: Any, report: Report) -> None:
        self.path = path
        self.report = report
        self.next_event = loader.get_event

    def refuse(self, event: Any, message: str, hint: str) -> None:
        self.report.add(self.path, _place(event), message, hint)

    def document(self) -> Node | None:
        import yaml

        self.next_event()  # the stream's start
        event = self.next_event()
        if isinstance(event, yaml.StreamEndEvent):
            raise _Unreadable((1, 1), "the file is empty", "write lines of the form key: value")
        if event.tags or event.version:
            self.refuse(event, "directives (%YAML, %TAG) are not allowed", "remove them")
        root = self._nodes(yaml)
        self.next_event()  # the document's end
        event = self.next_event()
        if not isinstance(event, yaml.StreamEndEvent):
            self.refuse(event, "a second document starts here", "keep one document a file, remove the ---")
        if root.entries is None:
            raise _Unreadable(root.place, "the file must be a mapping", "write lines of the form key: value")
        return root

    def _nodes(self, yaml: Any) -> Node:
        """Read one node with everything in it."""
        scalar, alias = yaml.ScalarEvent, yaml.AliasEvent
        mapping, sequence = yaml.MappingStartEvent, yaml.SequenceStartEvent
        stack: list[Node] = []  # the open collections
        keys: list[tuple[str, Place] | None] = []  # of each: the key whose value comes next
        for _ in range(MAX_EVENTS):
            event = self.next_event()
            kind = type(event)
            is_end = kind is not scalar and kind is not alias and kind is not mapping and kind is not sequence
            if is_end:
                node = stack.pop()
                keys.pop()
            elif stack and keys[-1] is None and (parent := stack[-1]).entries is not None:
                if kind is not scalar:
                    hint = "write text; put text that begins with *, [ or { in quotes"
                    raise _Unreadable(_place(event), "a key must be text", hint)
                keys[-1] = self._key(event, parent)
                continue
            elif kind is scalar:
                node = self._scalar(event)
            elif kind is alias:
                node = self._alias(event)
            else:
                stack.append(self._collection(event, kind is mapping, len(stack)))
                keys.append(None)
                continue
            if not stack:
                return node
            self._attach(stack[-1], keys, node)
        raise _Unreadable(_place(event), f"more than {MAX_EVENTS:,} keys and values", "split the workspace")

    def _scalar(self, event: Any) -> Node:
        mark, raw, style = event.start_mark, event.value, event.style or ""
        value = plain_value(raw) if event.implicit[0] and not style else raw
        if event.anchor is not None or not (event.implicit[0] or event.implicit[1]):
            value = self._refused(event, value)
        return Node(value, mark.line + 1, mark.column + 1, raw, style)

    def _alias(self, event: Any) -> Node:
        message = f"aliases are not allowed (*{event.anchor})"
        self.refuse(event, message, "write the value out; put text that begins with * in quotes")
        return Node(REFUSED, *_place(event), raw=f"*{event.anchor}")

    def _collection(self, event: Any, is_mapping: bool, depth: int) -> Node:
        if event.anchor is not None or event.tag is not None:
            self._refused(event, None)
        if depth >= MAX_DEPTH:
            raise _Unreadable(
                _place(event), f"nesting deeper than {MAX_DEPTH}", "no key of a project needs that"
            )
        mark = event.start_mark
        node = Node({} if is_mapping else [], mark.line + 1, mark.column + 1)
        if is_mapping:
            node.entries = {}
        else:
            node.items = []
        return node

    def _refused(self, event: Any, value: object) -> object:
        """Report an anchor or a tag; the value that is left."""
        if event.anchor is not None:
            message = f"anchors are not allowed (&{event.anchor})"
            self.refuse(event, message, "write the value out wherever it is used")
        if event.tag is None:
            return value
        tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
        self.refuse(event, f"tags are not allowed ({tag})", "write plain text, numbers, lists and mappings")
        return REFUSED

    def _attach(self, parent: Node, keys: list[tuple[str, Place] | None], node: Node) -> None:
        if parent.items is not None:
            parent.items.append(node)
            parent.value.append(node.value)
            return
        assert parent.entries is not None
        assert keys[-1] is not None  # a key comes before every value
        key, place = keys[-1]
        if key not in parent.entries:  # else it was reported
            parent.entries[key] = (place, node)
            parent.value[key] = node.value
        keys[-1] = None

    def _key(self, event: Any, parent: Node) -> tuple[str, Place]:
        key: str = event.value
        if event.anchor is not None or not (event.implicit[0] or event.implicit[1]):
            self._refused(event, key)
        elif event.implicit[0] and not event.style and not isinstance(value := plain_value(key), str):
            message = f"the key {key or '(nothing)'} is read as {kind_of(value)}, and a key must be text"
            self.refuse(event, message, f'put it in quotes: "{key}"')
        if len(key) > MAX_KEY_LENGTH:
            self.refuse(event, f"a key of {len(key)} characters", f"at most {MAX_KEY_LENGTH} are allowed")
        assert parent.entries is not None
        if key in parent.entries:
            first = parent.entries[key][0][0]
            self.refuse(event, f'the key "{key}" is already there, in line {first}', "remove one of the two")
        mark = event.start_mark
        return key, (mark.line + 1, mark.column + 1)


def _place(event: Any) -> Place:
    return event.start_mark.line + 1, event.start_mark.column + 1


def kind_of(value: object) -> str:
    """What a value that is not text is read as, in words."""
    if isinstance(value, Ambiguous):
        return value.kind
    if value is None:
        return "nothing (null)"
    return "true or false" if isinstance(value, bool) else "a number"
