"""Celery by itself, as the reference: a task that runs the command and says so. `python bare_celery.py COUNT` publishes.

The modes are those of the product: transient messages, no confirmation, acknowledged early, no results, one at a time.
"""

from __future__ import annotations

import os
import subprocess
import sys

from celery import Celery

app = Celery("bare", broker=os.environ["BARE_BROKER"])
app.conf.update(
    task_ignore_result=True,
    task_default_delivery_mode="transient",
    task_acks_late=False,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
)


@app.task(name="bare.run")
def run() -> None:
    subprocess.run(["sh", "-c", "true"], check=True)
    done = os.open(os.environ["BARE_DONE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(done, b".")
    os.close(done)


if __name__ == "__main__":
    with app.producer_pool.acquire() as producer:
        for _ in range(int(sys.argv[1])):
            run.apply_async(producer=producer)
