"""The operation center over HTTP: REST under `/api/v1`, and whatever else a server answers.

`operations` says how a route is made; `routes` has one module a noun, as the desks of the center.
"""
