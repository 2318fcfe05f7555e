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
from typing import Any, NoReturn

from retrofill.project.problems import Problem

MAX_DEPTH = 50
MAX_KEY_LENGTH = 300
_MAX_DIGITS = 18

Place = tuple[int, int]


class YamlError(Exception):
    """One place where a file is not the YAML that is read here."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


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


def compose(path: str, data: bytes) -> Node:
    """The root node of a file of UTF-8 YAML, a mapping.

    Args:
        path: named in errors.
        data: UTF-8 without a byte order mark.

    Raises:
        YamlError: it is not strict YAML, or its root is not a mapping.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(data)
    try:
        return _Composer(path, loader).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        message, hint = _syntax_words(error)
        raise YamlError(Problem(path, *place, message, hint)) from None
    except yaml.reader.ReaderError as error:
        raise YamlError(
            Problem(path, *place_of(data, error.position), "a control character that YAML does not allow")
        ) from None
    finally:
        loader.dispose()


def place_of(data: bytes, offset: int) -> Place:
    """Line and column of a byte of UTF-8 text."""
    before = data[: max(offset, 0)]
    line_start = before.rfind(b"\n") + 1
    return before.count(b"\n") + 1, len(before[line_start:].decode("utf-8", "replace")) + 1


def _syntax_words(error: Any) -> tuple[str, str]:
    problem = str(error.problem or "is not YAML")
    if "character '\\t'" in problem or "character that cannot start any token" in problem:
        return "a tab or another character that cannot stand here", "indent with spaces, quote special text"
    words = f"not valid YAML: {problem}"
    if error.context:
        words += f" ({error.context})"
    return words, "check the indentation, colons, brackets and quotes here and in the line above"


class _Composer:
    """Builds nodes from events with an explicit stack, so that depth costs no recursion."""

    def __init__(self, path: str, loader: Any) -> None:
        self.path = path
        self.next_event = loader.get_event

    def refuse(self, event: Any, message: str, hint: str = "") -> NoReturn:
        mark = event.start_mark
        raise YamlError(Problem(self.path, mark.line + 1, mark.column + 1, message, hint))

    def document(self) -> Node:
        import yaml

        self.next_event()  # the stream's start
        event = self.next_event()
        if isinstance(event, yaml.StreamEndEvent):
            raise YamlError(Problem(self.path, 1, 1, "the file is empty", "it needs keys and values"))
        if event.tags or event.version:
            self.refuse(event, "directives (%YAML, %TAG) are not allowed", "remove them")
        root = self._nodes(yaml)
        self.next_event()  # the document's end
        event = self.next_event()
        if not isinstance(event, yaml.StreamEndEvent):
            self.refuse(event, "a second document starts here", "one file holds one document; remove the ---")
        if root.entries is None:
            raise YamlError(
                Problem(
                    self.path, *root.place, "the file must be a mapping", "write lines of the form key: value"
                )
            )
        return root

    def _nodes(self, yaml: Any) -> Node:
        """Read one node with everything in it. Each frame is [node, place of the key that waits]."""
        scalar, alias = yaml.ScalarEvent, yaml.AliasEvent
        mapping, sequence = yaml.MappingStartEvent, yaml.SequenceStartEvent
        stack: list[Node] = []
        keys: list[tuple[str, Place] | None] = []  # of each frame: the key whose value comes next
        while True:
            event = self.next_event()
            kind = type(event)
            if kind is scalar:
                if stack and keys[-1] is None and (parent := stack[-1]).entries is not None:
                    keys[-1] = self._key(event, parent)
                    continue
                node = self._scalar(event)
            elif kind is mapping or kind is sequence:
                node = self._collection(event, kind is mapping, len(stack))
                if stack and stack[-1].entries is not None and keys[-1] is None:
                    self.refuse(
                        event, "a key must be text, not a list or a mapping", "quote special characters"
                    )
                stack.append(node)
                keys.append(None)
                continue
            elif kind is alias:
                self.refuse(event, f"aliases are not allowed (*{event.anchor})", "write the value out")
            else:  # the end of a collection
                node = stack.pop()
                keys.pop()
            if not stack:
                return node
            self._attach(stack[-1], keys, node)

    def _scalar(self, event: Any) -> Node:
        if event.anchor is not None or not (event.implicit[0] or event.implicit[1]):
            self._refuse_properties(event)
        mark, raw, style = event.start_mark, event.value, event.style or ""
        value = plain_value(raw) if event.implicit[0] and not style else raw
        return Node(value, mark.line + 1, mark.column + 1, raw, style)

    def _collection(self, event: Any, is_mapping: bool, depth: int) -> Node:
        if event.anchor is not None or event.tag is not None:
            self._refuse_properties(event)
        if depth >= MAX_DEPTH:
            self.refuse(event, f"nesting deeper than {MAX_DEPTH}", "no key of a project needs that")
        mark = event.start_mark
        node = Node({} if is_mapping else [], mark.line + 1, mark.column + 1)
        if is_mapping:
            node.entries = {}
        else:
            node.items = []
        return node

    def _refuse_properties(self, event: Any) -> NoReturn:
        if event.anchor is not None:
            self.refuse(
                event, f"anchors are not allowed (&{event.anchor})", "write the value out where it is used"
            )
        self.refuse(
            event, f"tags are not allowed ({event.tag})", "write plain text, numbers, lists and mappings"
        )

    def _attach(self, parent: Node, keys: list[tuple[str, Place] | None], node: Node) -> None:
        if parent.items is not None:
            parent.items.append(node)
            parent.value.append(node.value)
            return
        assert parent.entries is not None
        assert keys[-1] is not None  # a key comes before every value
        key, place = keys[-1]
        parent.entries[key] = (place, node)
        parent.value[key] = node.value
        keys[-1] = None

    def _key(self, event: Any, parent: Node) -> tuple[str, Place]:
        if event.anchor is not None or not (event.implicit[0] or event.implicit[1]):
            self._refuse_properties(event)
        key: str = event.value
        if event.implicit[0] and not event.style and not isinstance(value := plain_value(key), str):
            message = f"the key {key} is read as {kind_of(value)}, and a key must be text"
            self.refuse(event, message.replace("  ", " "), f'put it in quotes: "{key}"')
        if len(key) > MAX_KEY_LENGTH:
            self.refuse(event, f"a key of {len(key)} characters", f"at most {MAX_KEY_LENGTH} are allowed")
        assert parent.entries is not None
        if key in parent.entries:
            first = parent.entries[key][0][0]
            self.refuse(event, f'the key "{key}" is already there, in line {first}', "remove one of the two")
        mark = event.start_mark
        return key, (mark.line + 1, mark.column + 1)


def kind_of(value: object) -> str:
    """What a value that is not text is read as, in words."""
    if isinstance(value, Ambiguous):
        return value.kind
    if value is None:
        return "nothing (null)"
    return "true or false" if isinstance(value, bool) else "a number"
