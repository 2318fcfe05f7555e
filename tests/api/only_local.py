"""Methods of desks that nobody may ask over HTTP, each with its reason; all others are operations."""

DATES = "pages by number are what the API of DataWorks asks for"
DECLARED = "tasks by number are what the API of DataWorks asks for"
ERRANDS = "not waiting is what the API of DataWorks asks for"
TOGETHER = "all or nothing is what the API of DataWorks asks for"
ONLY_LOCAL = {
    "dates.instance": DATES,
    "dates.instances": DATES,
    "dates.list": DATES,
    "dates.neighbours": DATES,
    "dates.show": DATES,
    "declared.list": DECLARED,
    "declared.neighbours": DECLARED,
    "declared.show": DECLARED,
    "errands.ask_for_backfill": ERRANDS,
    "errands.ask_for_rerun": ERRANDS,
    "errands.carry_out": ERRANDS,
    "errands.show": ERRANDS,
    "errands.unattended": ERRANDS,
    "together.freeze": TOGETHER,
    "together.place": TOGETHER,
    "together.remove_waits": TOGETHER,
    "together.rerun": TOGETHER,
    "together.resume_backfills": TOGETHER,
    "together.set_successful": TOGETHER,
    "together.stop": TOGETHER,
    "together.stop_backfills": TOGETHER,
    "together.unfreeze": TOGETHER,
    "feed.eyes": "by these a stream goes on telling; an answer holds what they see",
    "backfills.create_once": "`backfills.create` with an `Idempotency-Key`",
    "backfills.tag": "the `ETag` of `backfills.show`",
    "backfills.as_of": "`If-Match` of what steers a backfill",
    "instances.as_of": "questions of pages, which stand open while others act",
    "instances.each": "a list that a client reads page by page",
    "upkeep.back_up": "writes a file on the machine of the store",
    "upkeep.restore": "puts a file of that machine in the place of the store, while no server runs",
    "upkeep.copy_store": "asks for a store at rest",
    "upkeep.migrate_store": "a server that runs has migrated its store",
}
# Operations that are no method of a desk of that name, each with what it asks instead.
BESIDE_DESKS = {
    "instances.follow_log": "`instances.log`, as it grows",
    **{
        f"hosting.{name}": "what workers ask, which act for nobody"
        for name in ("rules", "exchange", "own", "leave", "call", "content", "keep_log", "custody")
    },
    "server.metrics": "numbers of a process, for whoever watches many",
    "backfills.planned": "what a `Preview` of `backfills.plan` lists",
}
