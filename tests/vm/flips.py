#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Changes the weight of one back-end after the other at a steady pace, each of which is a generation.

  flips.py SERVICE-ADDRESS SERVICE-PORT FLIPS PER-SECOND BACKEND-ADDRESS...
"""

import errno
import os
import socket
import struct
import sys
import time

from netlink import NESTED, Socket, attr, message

BACKEND_SET = 8
NLMSG_ERROR = 2

address, port, flips, pace, *backends = sys.argv[1:]
service = attr(1, b"\6") + attr(2, socket.inet_aton(address)) + attr(3, struct.pack(">H", int(port)))
kernel = Socket().find("smplb")


def set_weight(backend, weight):
    attrs = attr(1 | NESTED, service) + attr(2, socket.inet_aton(backend)) + attr(4, struct.pack("=I", weight))
    kernel.sock.send(message(kernel.family, BACKEND_SET, attrs))
    kind, error = struct.unpack_from("=4xH10xi", kernel.sock.recv(65536))
    if kind != NLMSG_ERROR or error != 0:
        sys.exit(f"weight {weight} of {backend}: {errno.errorcode.get(-error, error)}, {os.strerror(-error)}")


start = time.monotonic()
worst = 0.0
for flip in range(int(flips)):
    due = start + flip / float(pace)
    time.sleep(max(0.0, due - time.monotonic()))
    # Each back-end has much more than before in every other of its turns, and much less in the rest.
    turn = flip // len(backends)
    set_weight(backends[flip % len(backends)], (2000, 400)[turn % 2])
    worst = max(worst, time.monotonic() - due)
print(f"{flips} generations in {time.monotonic() - start:.1f} s, the latest {worst * 1000:.0f} ms late")
