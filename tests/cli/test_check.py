"""What `check` warns of: right, and perhaps not what was meant."""

from __future__ import annotations

from pathlib import Path

from e2e.sandboxes import Sandbox


def test_schedules_whose_day_fields_surprise(tmp_path: Path) -> None:
    """TIME-2: with the place of the schedule and what to write; exit 0."""
    project = Sandbox(tmp_path).write("""
a: {type: virtual, schedule: "0 1 */2 * MON"}
b: {type: virtual, schedule: "0 1 1 * MON"}
""")
    (warning,) = project.json("check")["warnings"]
    assert (warning["code"], warning["level"], warning["tasks"]) == ("doubtful_schedule", "warning", ["w.a"])
    assert (warning["path"], warning["line"], warning["column"]) == ("workspaces/w/workspace.yaml", 5, 32)
    text = project.call("check").stdout
    assert (
        'both day fields must match, because "*/2" begins with "*"; if one of the two is enough, write "0 1 1-31/2 * MON"'
        in text
    )
    assert text.endswith("no errors, 1 warning\n")


SQL = """
a:
  type: sql
  connection: db
  schedule: "@daily"
  parameters: {day: $bizdate, n: "1", m: "2"}
  run: |
    %s
"""
CONNECTION = 'connections: {db: {url: "mysql+pymysql://h/x"}}'


def test_parameters_that_stand_bare(tmp_path: Path) -> None:
    """PAR-5: one warning a text, at the first; quotes are those of the dialect."""
    code = r"SELECT 'it\'s ${day}', ${n:quoted}, t_${day}.x FROM x LIMIT ${m}, ${n}"
    project = Sandbox(tmp_path).write(SQL % code, CONNECTION)
    (warning,) = (w for w in project.json("check")["warnings"] if w["level"] == "warning")
    assert (warning["code"], warning["line"], warning["tasks"]) == ("bare_parameter", 11, ["w.a"])
    assert (
        warning["message"]
        == "${m} and ${n} of w.a stand bare in the SQL, so what a backfill sets instead runs as SQL"
    )
    assert warning["hint"] == "write ${m:quoted} where a value is meant"
    project.write(SQL % "SELECT '${day}', ${n:quoted} FROM t_${m}", CONNECTION)
    assert [w for w in project.json("check")["warnings"] if w["level"] == "warning"] == []


def test_quoted_in_quotes(tmp_path: Path) -> None:
    """PAR-4: would be quoted twice."""
    result = Sandbox(tmp_path).write(SQL % "SELECT '${day:quoted}'", CONNECTION).call("check", status=2)
    assert "${day:quoted} stands in quotes already; leave out the quotes around it" in result.stderr


def test_the_graph_of_a_long_chain(tmp_path: Path) -> None:
    """Levels beyond what indenting can show are told as numbers, so that what is printed grows with the tasks alone."""
    count = 300
    tasks = "".join(
        f't{i}: {{type: virtual, schedule: "@daily"{f", depends_on: [t{i - 1}]" if i else ""}}}\n'
        for i in range(count)
    )
    lines = Sandbox(tmp_path).write(tasks).call("task", "graph").stdout.splitlines()
    assert lines[:2] == ["w.t0", "  w.t1  <- w.t0"]
    assert lines[20].lstrip() == "w.t20  <- w.t19"
    assert lines[299] == " " * 40 + "(299) w.t299  <- w.t298"
    assert len(lines) == count


ELSEWHERE = """
resource_groups:
  etl: {executor: pull, slots: 8}
  far: {executor: pul}
connections: {here: {url: "duckdb:///data.duckdb"}, there: {url: "mysql+pymysql://h/x"}}
"""


def test_groups_on_other_machines(tmp_path: Path) -> None:
    """RUN-3: what cannot work there is said where it is written, and leaves the exit status 0."""
    project = Sandbox(tmp_path).write(
        """
a: {type: sql, connection: here, run: "SELECT 1", resource_group: etl, schedule: "@daily"}
b: {type: sql, connection: there, run: "SELECT 1", resource_group: etl, schedule: "@daily"}
c: {type: sql, connection: here, run: "SELECT 1", schedule: "@daily"}
""",
        ELSEWHERE,
    )
    found = project.json("check")["warnings"]
    assert [(w["code"], w["path"].rpartition("/")[2], w["line"], w["tasks"]) for w in found] == [
        ("store_of_one_machine", "retrofill.yaml", 4, []),
        ("unknown_executor", "retrofill.yaml", 5, []),
        ("store_of_one_machine", "retrofill.yaml", 5, []),
        ("file_of_one_machine", "workspace.yaml", 5, ["w.a"]),
    ]
    assert 'there is no executor "pul" here' in found[1]["message"]
    assert found[1]["hint"] == 'did you mean "pull"?'
    shared = project.json("check", RETROFILL_STORE="postgresql://nobody@127.0.0.1:1/x")["warnings"]
    assert [w["code"] for w in shared] == ["unknown_executor", "file_of_one_machine"]
