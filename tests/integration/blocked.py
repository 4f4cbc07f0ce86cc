#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""How long does a process wait for anything but its events?

    blocked.py PID SECONDS LIMIT     LIMIT in milliseconds; status 1: the process waited longer than that, once

The kernel says which system call a process sleeps in (/proc/PID/syscall, proc(5)). One that waits for others sleeps in
another call than epoll_wait(), and as long as its number of voluntary context switches stays the same, it is the same
sleep. Time in which the process runs, or would if a processor were free, does not count: so the measure is that of the
process, whatever else the machine does.
"""
import os
import platform
import sys
import time

# Numbers of epoll_wait and epoll_pwait: arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h
EVENTS = {"x86_64": ("232", "281"), "aarch64": ("22",), "riscv64": ("22",)}
STEP = 0.001


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def sleep_of(pid):
    """The call that the process sleeps in, and which sleep that is; None: it runs, or waits for events."""
    call = read("/proc/%s/syscall" % pid).split()[0]
    if call == "running" or call in EVENTS[platform.machine()]:
        return None
    for line in read("/proc/%s/status" % pid).splitlines():
        if line.startswith("State:") and line.split()[1] not in "SD":
            return None
        if line.startswith("voluntary_ctxt_switches:"):
            return call, line.split()[1]
    return None


def main(pid, seconds, limit):
    if platform.machine() not in EVENTS:
        sys.exit("the numbers of system calls are not known on " + platform.machine())
    # On a busy machine it would look too rarely.
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    except PermissionError:
        pass
    longest, call, since, last, looks = 0.0, "-", 0.0, None, 0
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        now, this = time.monotonic(), sleep_of(pid)
        looks += 1
        if this is None or this != last:
            since = now
        elif now - since > longest:
            longest, call = now - since, this[0]
        last = this
        time.sleep(STEP)
    print("looked %d times: slept at most %.1f ms beside its events, in call %s" % (looks, longest * 1000, call))
    if looks < float(seconds) * 20:
        sys.exit("it could not look often enough")
    sys.exit(longest * 1000 > float(limit))


main(*sys.argv[1:4])
