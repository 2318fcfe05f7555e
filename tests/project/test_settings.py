"""Settings come from the environment, else the project, else the table; bad values say where they stand."""

from __future__ import annotations

from dataclasses import fields

import pytest

from retrofill.domain.errors import Kind
from retrofill.settings import in_force as settings
from retrofill.settings.identity_forms import IdentityProvider
from retrofill.settings.in_force import SettingError, Settings
from retrofill.settings.outer_forms import Webhook
from retrofill.settings.table import TABLE


def test_the_table_and_the_values_have_the_same_names() -> None:
    assert [setting.name for setting in TABLE] == [field.name for field in fields(Settings)]


def test_defaults() -> None:
    """POL-1, POL-13, SEL-1, SEL-3, AUTO-1, AUTO-3, RUN-5, RET-1, RET-2, OPS-1."""
    found = settings.load({}, {})
    assert (found.max_roots, found.max_tasks, found.max_workspace_tasks) == (500, 2000, 20_000)
    assert (found.max_instances, found.max_bizdates) == (1_000_000, 3660)
    assert (found.generation_time, found.catch_up_nights, found.auto_conflict) == (23 * 60 + 30, 7, "stop")
    assert (found.retention_days, found.log_days) == (30, {"shared": 7, "exclusive": 30, "serverless": 30})
    assert (found.log_cap, found.auto_log_cap, found.grace_seconds) == (50_000_000, 3_000_000, 10)
    assert (found.python, found.alerts, found.checks, found.allow_internal) == ("", {}, {}, ())


def test_the_environment_comes_before_the_project() -> None:
    declared = {"max_roots": 7, "max_tasks": 8}
    found = settings.load(declared, {"RETROFILL_MAX_ROOTS": "9"})
    assert (found.max_roots, found.max_tasks) == (9, 8)


@pytest.mark.parametrize(
    ("name", "declared", "text", "value"),
    [
        ("max_roots", 5, "5", 5),
        ("generation_time", "00:15", "00:15", 15),
        ("auto_conflict", "wait", "wait", "wait"),
        ("log_cap", "500k", "500k", 500_000),
        ("log_cap", 0, "0", 0),
        ("python", "/usr/bin/python3", "/usr/bin/python3", "/usr/bin/python3"),
        ("log_days", 5, "5", {"shared": 5, "exclusive": 5, "serverless": 5}),
        ("log_days", {"shared": 1}, '{"shared": 1}', {"shared": 1, "exclusive": 30, "serverless": 30}),
        ("allow_internal", ["10.0.0.0/8"], '["10.0.0.0/8"]', ("10.0.0.0/8",)),
        ("alerts", {"sms": "x://y"}, '{"sms": "x://y"}', {"sms": "x://y"}),
        ("log_storage", "s3://logs/retrofill", "s3://logs/retrofill", "s3://logs/retrofill"),
        ("working_folders", {"ops": "/srv/ops"}, '{"ops": "/srv/ops"}', {"ops": "/srv/ops"}),
        ("public_origin", "HTTPS://X.org:443/", "https://x.org", "https://x.org"),
        ("public_origin", "http://[::1]:8080", "http://[::1]:8080/", "http://[::1]:8080"),
        ("oidc", {}, "{}", None),
        (
            "oidc",
            {"issuer": "https://x", "client_id": "y", "claim": "email"},
            '{"issuer": "https://x", "client_id": "y", "claim": "email"}',
            IdentityProvider("https://x", "y", claim="email"),
        ),
        (
            "checks",
            {"a": {"url": "https://x", "timeout": "2m", "retries": 0}},
            '{"a": {"url": "https://x", "timeout": "2m", "retries": 0}}',
            {"a": Webhook("https://x", "", 120, 0)},
        ),
    ],
)
def test_a_value_is_written_the_same_way_in_both(
    name: str, declared: object, text: str, value: object
) -> None:
    assert getattr(settings.load({name: declared}, {}), name) == value
    assert getattr(settings.load({}, {f"RETROFILL_{name.upper()}": text}), name) == value


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("MAX_ROOTS", "0", "RETROFILL_MAX_ROOTS is 0 (environment); write a whole number from 1 to 100,000"),
        ("MAX_ROOTS", "many", 'RETROFILL_MAX_ROOTS is "many" (environment)'),
        ("MAX_ROOTS", "1e3", 'RETROFILL_MAX_ROOTS is "1e3" (environment)'),
        ("MAX_ROOTS", "\u0663", "RETROFILL_MAX_ROOTS is "),
        ("MAX_ROOTS", "", 'RETROFILL_MAX_ROOTS is "" (environment)'),
        ("AUTO_CONFLICT", "kill", 'RETROFILL_AUTO_CONFLICT is "kill" (environment); write stop or wait'),
        ("GENERATION_TIME", "7:00", 'RETROFILL_GENERATION_TIME is "7:00" (environment); write a time of day'),
        ("LOG_CAP", "1k", 'RETROFILL_LOG_CAP is "1k" (environment); write 0 or at least 100k'),
        ("LOG_CAP", "50", "RETROFILL_LOG_CAP is 50"),
        ("LOG_DAYS", '{"shared": 0}', "RETROFILL_LOG_DAYS (shared) is 0 (environment)"),
        ("ALLOW_INTERNAL", "[", "RETROFILL_ALLOW_INTERNAL begins like JSON and is none (environment)"),
        (
            "ALLOW_INTERNAL",
            '["10.0.0.1/8"]',
            'RETROFILL_ALLOW_INTERNAL (0) is "10.0.0.1/8", which is no network',
        ),
        ("CHECKS", '{"a": {}}', 'RETROFILL_CHECKS (a) has no "url" (environment)'),
        ("CHECKS", '{"a": {"url": "https://x", "retries": 11}}', "RETROFILL_CHECKS (a) (retries) is 11"),
        ("CHECKS", '{"a": {"url": "ftp://x"}}', "RETROFILL_CHECKS (a) (url) is no web address (environment)"),
        (
            "CHECKS",
            '{"a": {"url": "https://u:hunter2@x/"}}',
            "RETROFILL_CHECKS (a) (url) holds a user name (env",
        ),
        ("CHECKS", '{"a": {"url": "https://x", "timeout": "6m"}}', "RETROFILL_CHECKS (a) (timeout) is 6m"),
        ("PLUGIN_SECONDS", "0", "RETROFILL_PLUGIN_SECONDS is 0 (environment)"),
        ("LOG_STORAGE", "/mnt/logs", "RETROFILL_LOG_STORAGE is no URL (environment); write one like s3://"),
        ("LOG_STORAGE", "file://logs", "RETROFILL_LOG_STORAGE names no absolute path (environment)"),
        ("LOG_STORAGE", "sftp://me:pw@host/logs", "RETROFILL_LOG_STORAGE holds a user name (environment)"),
        ("WORKING_FOLDERS", '{"ops": ""}', "RETROFILL_WORKING_FOLDERS (ops) is empty or holds a NUL"),
        ("PUBLIC_ORIGIN", "retrofill.example.org", "RETROFILL_PUBLIC_ORIGIN is no origin (environment)"),
        ("PUBLIC_ORIGIN", "https://x.org/path", "RETROFILL_PUBLIC_ORIGIN is no origin (environment)"),
        ("PUBLIC_ORIGIN", "https://u:p@x.org", "RETROFILL_PUBLIC_ORIGIN is no origin (environment)"),
        ("PUBLIC_ORIGIN", "ftp://x.org", "RETROFILL_PUBLIC_ORIGIN is no origin (environment)"),
        ("OIDC", '{"client_id": "y"}', 'RETROFILL_OIDC has no "issuer" (environment)'),
        ("OIDC", '{"issuer": "https://x"}', 'RETROFILL_OIDC has no "client_id" (environment)'),
        (
            "OIDC",
            '{"issuer": "http://x", "client_id": "y"}',
            "RETROFILL_OIDC (issuer) is no address of a provider",
        ),
        (
            "OIDC",
            '{"issuer": "https://x?y", "client_id": "y"}',
            "RETROFILL_OIDC (issuer) is no address of a provider",
        ),
        (
            "OIDC",
            '{"issuer": "https://x", "client_id": "y", "scope": "email"}',
            "RETROFILL_OIDC (scope) does not hold openid",
        ),
        ("OIDC", '{"isuer": "https://x"}', "RETROFILL_OIDC (isuer) is an unknown key (environment)"),
    ],
)
def test_a_bad_value_in_the_environment(variable: str, text: str, message: str) -> None:
    with pytest.raises(SettingError) as caught:
        settings.load({}, {f"RETROFILL_{variable}": text})
    assert str(caught.value).startswith(message)
    assert caught.value.kind is Kind.USAGE


def test_a_bad_value_in_the_project_names_the_file() -> None:
    with pytest.raises(SettingError, match=r'"max_roots" is 0 \(`settings:` in retrofill\.yaml\)'):
        settings.load({"max_roots": 0}, {})


def test_an_unknown_setting_in_the_project_is_refused() -> None:
    """CAT-4."""
    with pytest.raises(SettingError, match=r'unknown setting "max_taks".*did you mean "max_tasks"'):
        settings.load({"max_taks": 1}, {})


def test_other_variables_are_not_ours() -> None:
    assert (
        settings.load({}, {"RETROFILL_URL": "x", "RETROFILL_NOBODY": "y", "MAX_ROOTS": "z"}).max_roots == 500
    )


def test_a_webhooks_whole_address_may_be_a_secret() -> None:
    """VER-3, SEC-3."""
    found = settings.load({"checks": {"a": {"url": "${secret:HOOK}"}, "b": {"url": "https://x/@/y"}}}, {})
    assert found.checks["a"].url == "${secret:HOOK}"
    assert "secret" not in repr(found.checks["a"]).partition("url=")[0]


def test_an_alert_url_is_not_shown() -> None:
    """SEC-3: it may hold a password."""
    with pytest.raises(SettingError) as caught:
        settings.load({"alerts": {"email": "user:hunter2@host"}}, {})
    assert "hunter2" not in str(caught.value)
