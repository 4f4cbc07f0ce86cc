#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A file system that never answers, as NFS does when its server is gone.

    tarpit.py DIRECTORY COMMAND [ARGUMENT...]     mounts it on DIRECTORY and becomes COMMAND

Linux, as root, in a mount namespace of its own. The protocol is linux/fuse.h; only FUSE_INIT is answered. It ends with
COMMAND, and then everything that waits there fails.
"""
import ctypes
import os
import signal
import struct
import sys

FUSE_INIT = 26
PR_SET_PDEATHSIG = 1

libc = ctypes.CDLL(None, use_errno=True)


def main(directory, command):
    device = os.open("/dev/fuse", os.O_RDWR)
    options = "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other" % device
    if libc.mount(b"tarpit", directory.encode(), b"fuse", 0, options.encode()) != 0:
        sys.exit("mount: %s" % os.strerror(ctypes.get_errno()))
    request = os.read(device, 65536)
    opcode, unique = struct.unpack_from("=IQ", request, 4)
    if opcode != FUSE_INIT:
        sys.exit("the first request is %d" % opcode)
    # struct fuse_out_header and fuse_init_out of protocol 7.31.
    answer = struct.pack("=IIIIHHIIHHII", 7, 31, 65536, 0, 12, 9, 65536, 1, 32, 0, 0, 0) + bytes(24)
    os.write(device, struct.pack("=IiQ", 16 + len(answer), 0, unique) + answer)
    parent = os.getpid()
    if os.fork() == 0:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        while os.getppid() == parent:
            signal.pause()
        os._exit(0)
    os.close(device)
    os.execv(command[0], command)


main(sys.argv[1], sys.argv[2:])
