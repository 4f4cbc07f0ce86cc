#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Lets a process run for a share of the time only, until SIGTERM: a director with less of a processor.

    brake.py PID PERCENT
"""
import os
import signal
import sys
import time

ROUND = 0.004  # seconds


def main(pid, percent):
    share = ROUND * percent / 100
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    except PermissionError:
        pass
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        while True:
            os.kill(pid, signal.SIGSTOP)
            time.sleep(ROUND - share)
            os.kill(pid, signal.SIGCONT)
            time.sleep(share)
    except ProcessLookupError:
        pass
    finally:
        os.kill(pid, signal.SIGCONT)


main(int(sys.argv[1]), int(sys.argv[2]))
