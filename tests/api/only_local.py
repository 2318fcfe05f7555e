"""Methods of desks that nobody may ask over HTTP, each with its reason; all others are operations."""

ONLY_LOCAL = {
    "instances.each": "a list that a client reads page by page",
    "upkeep.back_up": "writes a file on the machine of the store",
    "upkeep.restore": "puts a file of that machine in the place of the store, while no server runs",
    "upkeep.copy_store": "asks for a store at rest",
    "upkeep.migrate_store": "a server that runs has migrated its store",
}
# Operations that are no method of a desk of that name, each with what it asks instead.
BESIDE_DESKS = {
    "backfills.planned": "what a `Preview` of `backfills.plan` lists",
}
