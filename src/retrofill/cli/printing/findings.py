"""Findings of verification and of checks, as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import click

from retrofill.cli.steps import told
from retrofill.cli.tables import cell
from retrofill.domain.verification.codes import Level

if TYPE_CHECKING:
    from retrofill.services.reading.documents import Finding

_COLOURS = {"risk": "red", "warning": "yellow", "info": "cyan"}


def print_findings(findings: Sequence[Finding], err: bool = False) -> None:
    """Each finding in a line; what to do follows once for those of one code that stand together."""
    if not findings:
        click.echo("No findings.", err=err)
    for _, alike in groupby(findings, key=lambda finding: (finding["code"], finding.get("hint"))):
        for finding in alike:
            level = click.style(finding["level"], fg=_COLOURS[finding["level"]])
            click.echo(f"{level} {finding['code']}: {cell(finding['message'])}", err=err)
        if finding.get("hint"):
            click.echo(f"  {told(finding['hint'])}", err=err)


def say_findings(findings: Sequence[Finding]) -> None:
    """Risks and warnings, to stderr: for somebody who did not look at the preview."""
    grave = [finding for finding in findings if finding["level"] != Level.INFO]
    if grave:
        print_findings(grave, err=True)
