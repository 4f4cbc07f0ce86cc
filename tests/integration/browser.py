#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""
Speaks to a headless Chromium that was started with --remote-debugging-port=PORT, by the DevTools protocol:

    browser.py PORT COMMAND ARGUMENT...  [, COMMAND ARGUMENT...]...

    open URL              goes there
    wait SECONDS SCRIPT   until the script's value is true
    print SCRIPT          its value
    click SELECTOR        by a real mouse press in the middle of what it finds
    key KEY               a key press, such as Tab
    type TEXT             as if typed
    view WIDTH HEIGHT SCHEME   the window's size, and light or dark
    shot FILE             a picture of the whole page
    errors WHERE          none since the page was opened: WHERE is all, or local to leave out the network's
    named                 all that a screen reader stops at has a name
    readable              all text stands out from what is behind it, as WCAG 2.1 wants it (level AA)

Status 1, and what is wrong on standard error, when a command fails. Needs nothing but Python.
"""
import base64
import json
import os
import socket
import struct
import sys
import time
import urllib.request

PATIENCE = 60
# What a screen reader announces by its role and name.
ROLES = {"button", "checkbox", "searchbox", "textbox", "link", "image", "table", "region", "group", "heading", "columnheader"}
# Texts whose contrast is below 4.5 to 1, or 3 to 1 when they are large: WCAG 2.1, 1.4.3.
FAINT = """(() => {
    const channel = (c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
    const colour = (text) => text.match(/[0-9.]+/g).map(Number);
    const behind = (node) => {
        for (; node; node = node.parentElement) {
            const back = colour(getComputedStyle(node).backgroundColor);
            if (back.length < 4 || back[3] === 1)
                return back;
        }
        return [255, 255, 255];
    };
    const faint = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let text = walker.nextNode(); text; text = walker.nextNode()) {
        const node = text.parentElement, style = getComputedStyle(node), size = parseFloat(style.fontSize);
        if (!text.textContent.trim() || !node.checkVisibility() || ["SCRIPT", "STYLE", "NOSCRIPT"].includes(node.tagName))
            continue;
        const [a, b] = [light(colour(style.color)), light(behind(node))].sort((x, y) => y - x);
        const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
        if ((a + 0.05) / (b + 0.05) < (large ? 3 : 4.5))
            faint.push(text.textContent.trim() + ": " + ((a + 0.05) / (b + 0.05)).toFixed(2));
    }
    return faint;
})()"""


def fail(text):
    print(text, file=sys.stderr)
    sys.exit(1)


class Socket:
    """A WebSocket's client side (RFC 6455): text messages, masked as they must be, fragments joined."""

    def __init__(self, url):
        host, path = url[len("ws://"):].split("/", 1)
        name, port = host.rsplit(":", 1)
        self.sock = socket.create_connection((name, int(port)), PATIENCE)
        key = base64.b64encode(os.urandom(16)).decode()
        self.sock.sendall((f"GET /{path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            self.more()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        if b" 101 " not in head.split(b"\r\n")[0]:
            fail("the browser does not speak WebSocket: " + head.decode())

    def more(self):
        data = self.sock.recv(1 << 16)
        if not data:
            fail("the browser closed the connection")
        self.buffer += data

    def take(self, count):
        while len(self.buffer) < count:
            self.more()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def send(self, text):
        data = text.encode()
        length = len(data)
        if length < 126:
            head = struct.pack("!BB", 0x81, 0x80 | length)
        elif length < 1 << 16:
            head = struct.pack("!BBH", 0x81, 0x80 | 126, length)
        else:
            head = struct.pack("!BBQ", 0x81, 0x80 | 127, length)
        mask = os.urandom(4)
        self.sock.sendall(head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(data)))

    def receive(self):
        whole = b""
        while True:
            first, second = self.take(2)
            length = second & 0x7f
            if length == 126:
                length, = struct.unpack("!H", self.take(2))
            elif length == 127:
                length, = struct.unpack("!Q", self.take(8))
            data = self.take(length)
            if first & 0x0f in (0, 1):
                whole += data
                if first & 0x80:
                    return whole.decode()


class Page:
    def __init__(self, port):
        end = time.monotonic() + PATIENCE
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=10) as reply:
                    targets = [target for target in json.load(reply) if target["type"] == "page"]
                if targets:
                    break
            except OSError as error:
                if time.monotonic() > end:
                    fail(f"no browser answers on port {port}: {error}")
            time.sleep(0.2)
        self.socket = Socket(targets[0]["webSocketDebuggerUrl"])
        self.number = 0
        self.errors = []
        # Both tell again what they had to tell before.
        for domain in ("Runtime", "Log", "Page"):
            self.call(domain + ".enable")

    def note(self, message):
        method, params = message.get("method"), message.get("params", {})
        if method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.errors.append(("script", details.get("exception", {}).get("description") or details["text"]))
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.errors.append(("console", json.dumps(params["args"])))
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.errors.append((params["entry"]["source"], params["entry"]["text"]))

    def call(self, method, **params):
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": params}))
        while True:
            message = json.loads(self.socket.receive())
            self.note(message)
            if message.get("id") != self.number:
                continue
            if "error" in message:
                fail(f"{method}: {message['error']['message']}")
            return message["result"]

    def value(self, script):
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            fail(f"{script}: {result['exceptionDetails'].get('exception', {}).get('description', '?')}")
        return result["result"].get("value")

    def open(self, url):
        result = self.call("Page.navigate", url=url)
        if "errorText" in result:
            fail(f"{url}: {result['errorText']}")

    def wait(self, seconds, script):
        end = time.monotonic() + float(seconds)
        while not self.value(script):
            if time.monotonic() > end:
                fail(f"waited {seconds} s for: {script}\nthe page says:\n" + str(self.value("document.body.innerText")))
            time.sleep(0.1)

    def print(self, script):
        value = self.value(script)
        print(value if isinstance(value, str) else json.dumps(value))

    def click(self, selector):
        place = self.value(f"(() => {{ const box = document.querySelector({json.dumps(selector)}); box.scrollIntoView();"
                           "const r = box.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)

    def key(self, name):
        codes = {"Tab": 9, "Enter": 13, "Escape": 27}
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=codes[name])

    def type(self, text):
        self.call("Input.insertText", text=text)

    def view(self, width, height, scheme):
        self.call("Emulation.setDeviceMetricsOverride", width=int(width), height=int(height), deviceScaleFactor=1,
                  mobile=int(width) < 600)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def shot(self, file):
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True,
                         clip={"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1})["data"]
        with open(file, "wb") as out:
            out.write(base64.b64decode(data))

    def named(self):
        nodes = [node for node in self.call("Accessibility.getFullAXTree")["nodes"] if not node["ignored"]]
        stops = [node for node in nodes if node.get("role", {}).get("value") in ROLES]
        if not stops:
            fail("a screen reader finds nothing")
        nameless = [node["role"]["value"] for node in stops if not node.get("name", {}).get("value", "").strip()]
        if nameless:
            fail("without a name: " + ", ".join(nameless))

    def readable(self):
        faint = self.value(FAINT)
        if faint:
            fail("hard to read:\n" + "\n".join(faint))

    def errors_of(self, where):
        wrong = [f"{source}: {text}" for source, text in self.errors if where == "all" or source != "network"]
        if wrong:
            fail("the page has errors:\n" + "\n".join(wrong))


def main():
    page, commands, command = Page(sys.argv[1]), [], []
    for word in sys.argv[2:] + [","]:
        if word == ",":
            commands.append(command)
            command = []
        else:
            command.append(word)
    for name, *arguments in commands:
        getattr(page, "errors_of" if name == "errors" else name)(*arguments)


main()
