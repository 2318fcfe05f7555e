"""Examples of every command, as its help shows them; a test parses each of them."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, ...]] = {
    "init": ("retrofill init my-project", "retrofill init try-it --example flights"),
    "schema": ("retrofill schema > schema.json",),
    "check": ("retrofill check", "retrofill check --output json"),
    "deploy": ("retrofill deploy", "retrofill deploy --version 3"),
    "version list": ("retrofill version list",),
    "version show": (
        "retrofill version show 3",
        "retrofill version show 3 --task ops.daily_delays",
        "retrofill version show 3 --file ops/lib/dates.py",
    ),
    "task list": (
        "retrofill task list --name delay",
        "retrofill task list --workspace ops --type sql --limit 20",
    ),
    "task show": ("retrofill task show ops.daily_delays",),
    "task graph": ("retrofill task graph", "retrofill task graph daily_delays"),
    "task render": (
        "retrofill task render daily_delays --bizdate yesterday",
        "retrofill task render ops.hourly --bizdate 2013-01-01 --time 06:00",
    ),
    "task freeze": ('retrofill task freeze ops.daily_delays --comment "the source is wrong"',),
    "task unfreeze": ("retrofill task unfreeze ops.daily_delays",),
    "task history": ("retrofill task history ops.daily_delays",),
    "workspace list": ("retrofill workspace list",),
    "resource-group list": ("retrofill resource-group list",),
    "resource-group show": ("retrofill resource-group show default",),
    "backfill plan": (
        "retrofill backfill plan --task raw_flights --descendants all --bizdate 2013-01-01..2013-01-31",
        "retrofill backfill plan --from raw_flights --to report --bizdate -7d..yesterday --instances",
    ),
    "backfill create": (
        "retrofill backfill create --task raw_flights --descendants 1 --bizdate yesterday --wait",
        "retrofill backfill create --root raw_flights --workspace ops --bizdate 2013-01-01..2013-03-31 "
        "--groups 3 --window 22:00-06:00 --yes",
        "retrofill backfill create --reuse 12 --bizdate -3d..yesterday --on-failure continue --yes",
    ),
    "backfill wait": ("retrofill backfill wait 12", "retrofill backfill wait 12 --timeout 30m"),
    "backfill list": (
        "retrofill backfill list --status failed",
        "retrofill backfill list --task daily_delays --created -7d..today",
    ),
    "backfill show": ("retrofill backfill show 12",),
    "backfill analysis": ("retrofill backfill analysis 12",),
    "backfill history": ("retrofill backfill history 12",),
    "backfill stop": ('retrofill backfill stop 12 13 --comment "wrong dates"',),
    "backfill pause": ("retrofill backfill pause 12",),
    "backfill resume": ("retrofill backfill resume 12",),
    "backfill change": (
        "retrofill backfill change 12 --groups 4",
        "retrofill backfill change 12 --window 22:00-06:00 --priority 3",
    ),
    "backfill rerun": ("retrofill backfill rerun 12 --failed", "retrofill backfill rerun 12"),
    "backfill freeze": ("retrofill backfill freeze 12",),
    "backfill unfreeze": ("retrofill backfill unfreeze 12",),
    "instance list": (
        "retrofill instance list --backfill 12 --state failed",
        "retrofill instance list --task daily_delays --bizdate 2013-01-01..2013-01-31",
        "retrofill instance list --auto --bizdate yesterday",
    ),
    "instance show": ("retrofill instance show 345",),
    "instance log": ("retrofill instance log 345", "retrofill instance log 345 --run 1"),
    "instance why": ("retrofill instance why 345",),
    "instance history": ("retrofill instance history 345",),
    "instance lineage": ("retrofill instance lineage 345",),
    "instance dag": ("retrofill instance dag 345 --up 2 --down 3",),
    "instance stop": ("retrofill instance stop 345",),
    "instance rerun": (
        "retrofill instance rerun 345 346",
        'retrofill instance rerun 345 --latest --comment "mended"',
    ),
    "instance rerun-descendants": ("retrofill instance rerun-descendants 345 --with-self",),
    "instance set-successful": ('retrofill instance set-successful 345 --comment "loaded by hand"',),
    "instance freeze": ("retrofill instance freeze 345",),
    "instance unfreeze": ("retrofill instance unfreeze 345",),
    "instance remove-wait": (
        "retrofill instance remove-wait 345 --upstream 340",
        "retrofill instance remove-wait 345 --all",
    ),
    "instance set-priority": ("retrofill instance set-priority 345 8",),
    "instance set-resource-group": ("retrofill instance set-resource-group 345 night",),
    "operation list": (
        "retrofill operation list --user alice",
        "retrofill operation list --backfill 12 --action rerun",
    ),
    "user add": ("retrofill user add erin --email erin@example.com",),
    "user list": ("retrofill user list",),
    "user remove": ("retrofill user remove erin",),
    "user role": ("retrofill user role erin administrator",),
    "user contact": (
        "retrofill user contact alice --phone +15551234567",
        "retrofill user contact alice --test",
    ),
    "user link": ("retrofill user link erin",),
    "user password": ("retrofill user password erin", "retrofill user password erin --remove"),
    "user sessions": ("retrofill user sessions",),
    "user sign-out": ("retrofill user sign-out erin", "retrofill user sign-out erin --session 7"),
    "token create": (
        "retrofill token create --label nightly-job",
        "retrofill token create --scope read --expires 90",
    ),
    "token list": ("retrofill token list",),
    "token revoke": ("retrofill token revoke 2",),
    "access-key create": ("retrofill access-key create --label sdk",),
    "access-key list": ("retrofill access-key list",),
    "access-key revoke": ("retrofill access-key revoke RF0123456789abcdef01234567",),
    "schedule show": ("retrofill schedule show",),
    "schedule list": ("retrofill schedule list --limit 7",),
    "schedule pause": ('retrofill schedule pause --comment "the warehouse moves"',),
    "schedule resume": ("retrofill schedule resume",),
    "schedule accept-clock": ("retrofill schedule accept-clock",),
    "up": ("retrofill up", "retrofill up --port 0 --output json"),
    "serve": ("retrofill serve --port 8081",),
    "scheduler": ("retrofill scheduler",),
    "retention run": ("retrofill retention run --dry-run",),
    "backup": ("retrofill backup store.backup", "retrofill backup store.backup --with-logs"),
    "restore": ("retrofill restore store.backup",),
    "store migrate": ("retrofill store migrate",),
    "store copy": (
        "retrofill store copy --to 'postgresql://retrofill:${secret:DATABASE}@db/retrofill'",
        "retrofill store copy --to embedded",
    ),
    "store check": ("retrofill store check",),
    "doctor": ("retrofill doctor",),
}


def examples_of(path: str) -> tuple[str, ...]:
    """Examples of a command by its path, with or without the program's name."""
    return EXAMPLES.get(path.removeprefix("retrofill "), ())
