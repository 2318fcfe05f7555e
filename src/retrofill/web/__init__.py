"""The Operation Center in the browser: routes, what pages hold, templates, and the scripts that pages load.

A page is what the operation center answers, as its documents have it, and what was asked; templates compute nothing but
looks. Every page works without scripts, and none holds a script or a style of its own (docs/decisions/0026).
"""
