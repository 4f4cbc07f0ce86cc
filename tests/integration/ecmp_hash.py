#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""How many flows have another server than a director without any flows would choose, by its hash.

    ecmp_hash.py SOCKET FILE...

SOCKET is that director's; each FILE is what `dsrctl --json show connections` said at another one. A flow that several
know counts once. Prints the number of those that differ, and of all: "12 of 300".
"""
import http.client
import json
import socket
import sys
import urllib.parse


class Control(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("dsrd")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def choice(path, client, vip):
    control = Control(path)
    query = urllib.parse.urlencode([("arg", "tcp"), ("arg", client), ("arg", vip)])
    control.request("GET", "/why?" + query)
    answer = json.loads(control.getresponse().read())
    control.close()
    return answer["server"]


def main():
    flows = {}
    for name in sys.argv[2:]:
        with open(name, encoding="utf-8") as file:
            text = file.read()
        for flow in json.loads(text)["connections"] if text else []:
            if flow["state"] == "established":
                flows[flow["client"], flow["vip"]] = flow["server"]
    differ = sum(choice(sys.argv[1], client, vip) != server for (client, vip), server in flows.items())
    print(f"{differ} of {len(flows)}")


main()
