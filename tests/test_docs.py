"""The documentation: its commands work, its links lead somewhere, its generated pages are in step.

A `console` block is run as it stands: lines that begin with `$ ` are commands, the lines after
a command are its output, in which `...` stands for anything. `# exits 1` after a command says
its exit status. The blocks of a page share one folder and follow one another. A block after
`<!-- file: PATH -->` is written to that file first.
"""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import pytest

from databases import postgres
from databases.server import programs

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").glob("*/*.md")]
    if path.is_file()
)
_BLOCK = re.compile(
    r"^(?:<!-- file: (?P<file>\S+) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S
)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.*)$", re.M)
_EXITS = re.compile(r"\s+# exits (\d+)$")
_SECONDS = 120


@dataclass
class Step:
    """A command with the output and the exit status that the page promises, or a file to write."""

    text: str
    output: list[str] = field(default_factory=list)
    status: int = 0
    file: str | None = None


def steps(page: str) -> Iterator[Step]:
    """What a page tells to do, in order."""
    for block in _BLOCK.finditer(page):
        if block["file"]:
            yield Step(block["text"], file=block["file"])
        elif block["language"] == "console":
            yield from _commands(block["text"])


def _commands(text: str) -> Iterator[Step]:
    step: Step | None = None
    for line in text.splitlines():
        if line.startswith("$ "):
            if step is not None:
                yield step
            exits = _EXITS.search(line)
            command = _EXITS.sub("", line[2:])
            step = Step(command, status=int(exits[1]) if exits else 0)
        else:
            assert step is not None, f"a console block begins with output: {line}"
            step.output.append(line)
    if step is not None:
        yield step


def fits(promised: list[str], printed: str) -> bool:
    """Whether output is what a page shows: `...` in a line is any text, a line `...` any lines or none."""
    if not promised:
        return True
    lines = (
        r"(?:.*\n)*" if line == "..." else re.escape(line).replace(r"\.\.\.", ".*") + r"\n"
        for line in promised
    )
    return re.fullmatch("".join(lines), printed.strip("\n") + "\n") is not None


def follow(page: str, folder: Path) -> None:
    """Do what a page says, in `folder`, and hold it to what it promises."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RETROFILL_")}
    environment |= {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}",
        "LC_ALL": "C.UTF-8",
        "COLUMNS": "100",
    }
    for step in steps(page):
        if step.file:
            path = folder / step.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.text)
            continue
        if step.text.startswith("cd "):
            folder = folder / step.text.removeprefix("cd ")
            continue
        done = subprocess.run(
            ["/bin/sh", "-c", step.text],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        assert done.returncode == step.status, f"$ {step.text}\n{done.stdout}"
        assert fits(step.output, done.stdout), f"$ {step.text}\n{done.stdout}\npromised:\n" + "\n".join(
            step.output
        )


WITH_COMMANDS = [page for page in PAGES if "```console" in page.read_text(encoding="utf-8")]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_pages_that_people_follow_have_commands() -> None:
    """A page whose blocks lose their mark would no longer be tested, silently."""
    followed = {
        "README.md",
        "docs/guides/when-something-fails.md",
        "docs/guides/operate.md",
        "docs/concepts.md",
    }
    assert followed <= {name(page) for page in WITH_COMMANDS}


@pytest.mark.parametrize(
    "page",
    # The README stays among the fast tests: it is what everybody reads first.
    [pytest.param(p, id=name(p), marks=() if p.parent == ROOT else pytest.mark.slow) for p in WITH_COMMANDS],
)
def test_commands_do_what_the_page_says(page: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if name(page) in ON_A_SERVER:
        request.getfixturevalue("server")
    try:
        follow(page.read_text(encoding="utf-8"), tmp_path)
    finally:
        end_servers(tmp_path)


def end_servers(folder: Path) -> None:
    """Those that a page has started and not ended, because something in it failed."""
    for noted in folder.rglob("*.pid"):
        with suppress(ProcessLookupError):
            os.kill(int(noted.read_text()), signal.SIGTERM)


ON_A_SERVER = {"docs/guides/postgresql.md", "docs/guides/grow.md"}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A PostgreSQL server as libpq's variables name it, and its programs; what a page makes there is gone afterwards."""
    import psycopg

    url = postgres.server()
    found = psycopg.conninfo.conninfo_to_dict(url)
    for name in ("host", "port", "user", "password"):
        monkeypatch.setenv(f"PG{name.upper()}", str(found.get(name, "")))
    monkeypatch.setenv("PATH", str(programs()), prepend=os.pathsep)
    yield
    with psycopg.connect(url, autocommit=True) as connection:
        for made in ("shop_store", "grow_store"):
            connection.execute(f"DROP DATABASE IF EXISTS {made} WITH (FORCE)")


@pytest.mark.parametrize(
    ("promised", "printed", "expected"),
    [
        (["one", "..."], "one\ntwo\nthree\n", True),
        (["one", "..."], "one\n", True),
        (["...", "one"], "one\n", True),
        (["one ...", "two"], "one\ntwo\n", False),
        (["a ... c"], "a b c\n", True),
        (["a"], "a\nb\n", False),
        (["...", "b"], "a\nb\nc\n", False),
        (["1 (x)"], "1 (x)", True),
    ],
)
def test_output_is_compared(promised: list[str], printed: str, expected: bool) -> None:
    assert fits(promised, printed) is expected


def test_a_wrong_status_or_output_is_found(tmp_path: Path) -> None:
    for page in ("```console\n$ false\n```\n", "```console\n$ echo a\nb\n```\n"):
        with pytest.raises(AssertionError):
            follow(page, tmp_path)


def test_generated_pages_are_in_step() -> None:
    """`make docs` has been run since the code last changed."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_page_out_of_step_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    generate = generator()
    assert generate.main(["--to", str(tmp_path)]) == 0
    assert generate.main(["--to", str(tmp_path), "--check"]) == 0
    (tmp_path / "cli.md").write_text("old")
    assert generate.main(["--to", str(tmp_path), "--check"]) == 1
    said = capsys.readouterr().err
    assert "cli.md" in said
    assert "states.md" not in said


def generator() -> ModuleType:
    """docs/generate.py as a module."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for target in _LINK.findall(_without_code(page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert not broken


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = _HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def _without_code(text: str) -> str:
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S))


def test_every_page_is_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    front = [ROOT / "README.md"]
    while front:
        page = front.pop()
        if page in seen or page.suffix != ".md" or not page.exists():
            continue
        seen.add(page)
        for target in _LINK.findall(_without_code(page.read_text(encoding="utf-8"))):
            if not re.match(r"[a-z]+:|#", target):
                front.append((page.parent / target.partition("#")[0]).resolve())
    assert {name(page) for page in PAGES} == {name(page) for page in seen}


def test_named_rules_exist() -> None:
    """A rule id in the code, the tests or the docs is one of the rules."""
    rule = re.compile(r"\b(?:CAT|TIME|PAR|DEP|SEL|POL|VER|RUN|AUTO|OPS|BF|RET|SEC)-\d+\b")
    rules = (ROOT / "docs/reference/rules.md").read_text(encoding="utf-8")
    known = set(re.findall(rf"^- ({rule.pattern})", rules, re.M))
    strange = {
        (name(path), found)
        for folder in ("src", "docs", "tests")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".md") and path.name != Path(__file__).name
        for found in rule.findall(path.read_text(encoding="utf-8"))
        if found not in known
    }
    assert not strange


def test_settings_without_effect_are_named_as_such() -> None:
    """A setting that something reads is not listed as without effect, and the other way round."""
    from retrofill.settings.table import TABLE

    sources = [
        path.read_text(encoding="utf-8")
        for path in (ROOT / "src/retrofill").rglob("*.py")
        if path.name != "table.py"
    ]
    reads = ("settings", "settings()", "found")  # as settings in force are called where they are read
    unread = {
        s.name
        for s in TABLE
        if not any(
            word in text
            for word in (
                *(f"{who}.{s.name}" for who in reads),
                f'BY_NAME["{s.name}"]',
                f'settings.get("{s.name}")',  # by who is told them as a document
            )
            for text in sources
        )
    }
    assert unread == set(generator().WITHOUT_EFFECT)


def test_nothing_speaks_of_where_it_was_made() -> None:
    """The project stands alone: no path of a machine, nothing of how it came about."""
    strange = re.compile(
        r"/work/|/root/|/home/(?!counts\b)\w|/tmp/bash|SPEC\.md|INTERFACES|ARCHITECTURE\b|research/|\bissue \d|helper session",
    )
    found = []
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False).stdout
    for path in (ROOT / entry for entry in listed.decode().split("\0") if entry):
        if path == Path(__file__) or path.suffix in (".csv", ".lock", ".zip") or not path.is_file():
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if strange.search(line):
                found.append(f"{name(path)}:{number}: {line.strip()[:100]}")
    assert not found, "\n".join(found)
