#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A responder of HAProxy's agent-check: whoever connects is told what a file holds.

words.py ADDRESS PORT FILE [--turns]

With --turns whoever comes next is told the next line of it.
"""

import socket
import sys

address, port, file, *turns = sys.argv[1:]
listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((address, int(port)))
listener.listen(64)
print("listening", flush=True)
told = 0
while True:
    connection, _ = listener.accept()
    # Who is slow, or gone, keeps nobody else from being told.
    connection.settimeout(2)
    try:
        with open(file, "rb") as words:
            lines = words.read()
        if turns:
            lines = lines.splitlines(keepends=True)
            # A file that is being written may be empty.
            lines = lines[told % len(lines)] if lines else b""
        connection.sendall(lines)
        told += 1
        connection.shutdown(socket.SHUT_WR)
        connection.recv(512)
    except OSError:
        pass
    connection.close()
