# SPDX-License-Identifier: ISC
"""Runs `dsrctl top` in a new terminal: it displays, updates, takes keys, follows the size, and restores the terminal.

    live_screen.py DSRCTL SOCKET COMMAND     COMMAND (for sh) makes a connection to the VIP: "flows" must then change

Status 0 when all is well; else the last screen and what is wrong.
"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

PATIENCE = 20  # seconds, on a machine that is busy with other things


class Screen:
    def __init__(self, command, rows, columns):
        self.command = command
        self.text = b""
        self.master, self.slave = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(self.slave)
        environment = dict(os.environ, TERM="xterm")
        environment.pop("NO_COLOR", None)
        self.process = subprocess.Popen(command, stdin=self.slave, stdout=self.slave, stderr=self.slave,
                                        env=environment, start_new_session=True)

    def resize(self, rows, columns):
        self.rows, self.columns = rows, columns
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds):
        if select.select([self.master], [], [], seconds)[0]:
            self.text += os.read(self.master, 65536)

    def frames(self):
        """Each whole screen that was drawn, as lines without escape sequences."""
        drawn = self.text.decode(errors="replace").split("\033[H")[1:]
        return [re.sub("\033\\[[0-9;?]*[a-zA-Z]", "", one[:one.index("\033[J")]).split("\r\n")
                for one in drawn if "\033[J" in one]

    def wait(self, what, condition):
        """Until a screen drawn from now on has it."""
        deadline = time.monotonic() + PATIENCE
        seen = len(self.frames())
        while time.monotonic() < deadline:
            self.read(0.1)
            for frame in self.frames()[seen:]:
                if condition(frame):
                    return frame
        self.fail("waited %d s for %s" % (PATIENCE, what))

    def press(self, keys):
        os.write(self.master, keys)

    def fail(self, why):
        for line in (self.frames() or [["nothing was drawn"]])[-1]:
            print("|" + line)
        print(why)
        self.process.kill()
        sys.exit(1)

    def ends(self, how):
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < deadline:
            self.read(0.1)
        if self.process.poll() is None:
            self.fail("%s does not end it" % how)
        while select.select([self.master], [], [], 0)[0]:
            self.read(0)
        if self.process.returncode != 0:
            self.fail("%s: status %d" % (how, self.process.returncode))
        if not self.text.endswith(b"\033[?25h\033[?1049l"):
            self.fail("%s: the screen is not put back: %r" % (how, self.text[-40:]))
        if termios.tcgetattr(self.slave) != self.before:
            self.fail("%s: the terminal's modes are not put back" % how)


def has(text):
    return lambda frame: any(text in line for line in frame)


def flows_of(frame):
    found = re.search(r"flows (\d+) of", frame[0])
    return int(found.group(1)) if found else -1


def main():
    dsrctl, socket, connect = sys.argv[1:]
    screen = Screen([dsrctl, "-s", socket, "top"], 24, 110)
    frame = screen.wait("the servers", has("web/web2"))
    if not screen.text.startswith(b"\033[?1049h"):
        screen.fail("it does not begin with the alternate screen")
    if len(frame) != 24:
        screen.fail("%d lines on a screen of 24" % len(frame))
    if "? help" not in frame[23] or "servers 1-2 of 2" not in frame[23]:
        screen.fail("the last line is not that of the keys")
    before = flows_of(frame)
    subprocess.run(["sh", "-c", connect], check=True, stdout=subprocess.DEVNULL)
    screen.wait("another number of flows than %d" % before, lambda frame: flows_of(frame) > before)

    screen.press(b"s")
    screen.wait("the order to change", has("sort: out"))
    screen.press(b"p")
    frame = screen.wait("the pause", has("PAUSED"))
    screen.press(b"p")
    screen.wait("the pause to end", lambda frame: not has("PAUSED")(frame))

    screen.press(b"Ss")
    screen.press(b"r")
    screen.wait("the order to be reversed", has("sort: out, reversed"))
    screen.press(b"/web2\r")
    screen.wait("the filter", lambda frame: has("filter: web2")(frame) and not has("web/web1")(frame))
    screen.press(b"/\033")
    screen.wait("the filter to end", has("web/web1"))
    screen.press(b"?")
    screen.wait("the help", has("reverse the order"))
    screen.press(b"xr")
    screen.wait("the help to end", lambda frame: has("web/web1")(frame) and not has("reversed")(frame))

    screen.resize(8, 40)
    frame = screen.wait("a smaller screen", lambda frame: len(frame) == 8)
    if max(len(line) for line in frame) > 40:
        screen.fail("a line is longer than the screen")
    screen.press(b"\033[B")
    screen.wait("the second server at the top", has("servers 2-2 of 2"))
    screen.resize(30, 120)
    screen.wait("a larger screen", lambda frame: len(frame) == 30 and has("web/web1")(frame))
    screen.press(b"q")
    screen.ends("q")

    for how, number in ("SIGTERM", signal.SIGTERM), ("SIGINT", signal.SIGINT), ("SIGHUP", signal.SIGHUP):
        screen = Screen([dsrctl, "-s", socket, "top"], 24, 80)
        screen.wait("the servers", has("web/web1"))
        screen.process.send_signal(number)
        screen.ends(how)
    screen = Screen([dsrctl, "-s", socket, "top"], 24, 80)
    screen.wait("the servers", has("web/web1"))
    screen.press(b"\003")
    screen.ends("Ctrl-C")


main()
