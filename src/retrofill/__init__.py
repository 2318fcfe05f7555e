"""Retrofill: schedule data tasks and backfill any part of their dependency graph."""

__version__ = "0.1.0"
