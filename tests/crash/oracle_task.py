"""The program that the crash harness's tasks run: it says what it does outside our database.

Standard library only, and few modules of it: it is started thousands of times. Every event is
one `write` with O_APPEND of less than a page, so that lines of different processes never mix
and stand in the order in which they were written.

    KIND  INSTANCE  RUN  PID  BOOT_ID  MONOTONIC_NS  DETAIL...

    start    the run begins; details: task, scheduled time, bizdate
    alive    a process of an earlier run of this instance lives still; detail: its run and pid
    overlap  somebody holds the lock of this instance
    beside   somebody holds the lock of what this run writes: the same task and time, whatever the backfill
    end      the work is done; detail: the exit status that follows
"""

import fcntl
import os
import sys
import time
from zlib import crc32

FAIL_PERCENT = 6
DAEMON_SECONDS = 30.0
LONG_ONE_IN, LONG_FACTOR = 8, 8  # some live long enough to be met by their successors


def main() -> int:
    folder, seed, longest_ms = sys.argv[1], sys.argv[2], int(sys.argv[3])
    instance, run = os.environ["RETROFILL_INSTANCE"], os.environ["RETROFILL_RUN_NUMBER"]
    oracle = _Oracle(folder, instance, run)
    holders = os.open(f"{folder}/holders/{instance}", os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        fcntl.flock(holders, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        oracle.say("overlap")
    at = os.environ["RETROFILL_SCHEDULED_AT"]
    partition = os.open(
        f"{folder}/partitions/{os.environ['RETROFILL_TASK']}@{at}", os.O_RDWR | os.O_CREAT, 0o600
    )
    try:
        fcntl.flock(partition, fcntl.LOCK_EX | fcntl.LOCK_NB)  # held as long as any process of this run lives
    except BlockingIOError:
        oracle.say("beside")
    earlier = os.pread(holders, 1 << 20, 0).decode("ascii").splitlines()
    _note(holders, run)
    oracle.say(
        "start",
        os.environ["RETROFILL_TASK"],
        at,
        os.environ["RETROFILL_BIZDATE"],
    )
    for line in earlier:
        number, pid, start_time = line.split()
        if _start_time(int(pid)) == start_time:
            oracle.say("alive", number, pid)
    chance = crc32(f"{seed}.{instance}.{run}".encode())
    seconds = (chance % (longest_ms + 1)) / 1000
    if (chance >> 12) % LONG_ONE_IN == 0:
        seconds *= LONG_FACTOR
    _work(chance >> 8, seconds, holders, run)
    status = 1 if (chance >> 16) % 100 < FAIL_PERCENT else 0
    oracle.say("end", str(status))
    return status


class _Oracle:
    def __init__(self, folder: str, instance: str, run: str) -> None:
        self._file = os.open(f"{folder}/events", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            boot = file.read().strip()
        self._who = (instance, run, str(os.getpid()), boot)

    def say(self, kind: str, *details: str) -> None:
        line = "\t".join((kind, *self._who, str(time.monotonic_ns()), *details)) + "\n"
        os.write(self._file, line.encode())


def _note(holders: int, run: str) -> None:
    """Leave word for the next run that this process belongs to this one."""
    os.write(holders, f"{run} {os.getpid()} {_start_time(os.getpid())}\n".encode())


def _start_time(pid: int) -> str | None:
    """When a living process began, in clock ticks since boot; None if there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if fields[0] in (b"Z", b"X") else fields[19].decode("ascii")


def _work(shape: int, seconds: float, holders: int, run: str) -> None:
    """Take this long: in this process, in a child, in an orphaned grandchild; or leave a daemon behind."""
    shape %= 4
    if shape == 0:
        time.sleep(seconds)
        return
    done, working = os.pipe()
    if os.fork() == 0:
        os.close(done)
        if shape >= 2:
            os.setsid()
            if os.fork() != 0:
                os._exit(0)
        _note(holders, run)
        if shape == 3:
            os.close(working)
            time.sleep(DAEMON_SECONDS)
        time.sleep(seconds)
        os._exit(0)
    os.close(working)
    if shape == 3:
        time.sleep(seconds)
    else:
        os.read(done, 1)  # the end of the pipe comes with the end of whoever works
    os.close(done)


if __name__ == "__main__":
    sys.exit(main())
