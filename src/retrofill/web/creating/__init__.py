"""The form of a new backfill: what is typed, what it asks for, what its buttons change, and how its plan is shown.

A form is a `Typed`: all texts of each field, as a browser sends them and as a draft keeps them. Everything else is
worked out from it, so that an address, a draft and a form that was sent show the same.
"""
