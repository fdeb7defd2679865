# SPDX-License-Identifier: GPL-2.0
"""TCP for the scenarios.

  serve ADDR PORT NAME   tell each client NAME, then answer what it says with the
                         same
  ask ADDR PORT COUNT    COUNT connections one after the other; print who
                         answered each, "refused" or "reset"
  abort ADDR PORT COUNT  COUNT connections, each reset by the client
  hold ADDR PORT COUNT   as many open at once; print the names, then for each
                         line of input "open" or "reset" for every connection
  again ADDR PORT SPORT  two connections from one port, the server closing the
                         first, in a second
"""

import errno
import select
import socket
import struct
import sys
import time


def serve(addr, port, name):
    listener = socket.create_server((addr, int(port)), backlog=512)
    clients = []
    while True:
        for sock in select.select([listener, *clients], [], [])[0]:
            if sock is listener:
                client, _ = sock.accept()
                client.sendall(name.encode() + b"\n")
                clients.append(client)
                continue
            try:
                data = sock.recv(65536)
                if data:
                    sock.sendall(data)
                    continue
            except OSError:
                pass
            clients.remove(sock)
            sock.close()


def connect(addr, port, sport=0):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.settimeout(5)
    if sport:
        sock.bind(("", sport))
    sock.connect((addr, int(port)))
    return sock, sock.recv(64).decode().strip()


def ask(addr, port, count):
    for _ in range(int(count)):
        try:
            sock, name = connect(addr, port)
            print(name)
            sock.close()
        except ConnectionRefusedError:
            print("refused")
        except ConnectionResetError:
            print("reset")


def abort(addr, port, count):
    for _ in range(int(count)):
        sock, name = connect(addr, port)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
        print(name)


def state(sock):
    try:
        sock.sendall(b"!")
        return "open" if sock.recv(1) == b"!" else "closed"
    except (ConnectionResetError, BrokenPipeError):
        return "reset"


def hold(addr, port, count):
    held = [connect(addr, port) for _ in range(int(count))]
    print(*(name for _, name in held), flush=True)
    for _ in sys.stdin:
        print(*(state(sock) for sock, _ in held), flush=True)


def again(addr, port, sport):
    """HTTP, as the server must close first for the port to be free at once."""
    request = b"GET / HTTP/1.0\r\n\r\n"
    start = time.monotonic()
    for _ in range(2):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.settimeout(5)
        sock.bind(("", int(sport)))
        while sock.connect_ex((addr, int(port))) == errno.EADDRNOTAVAIL:
            # The last acknowledgment has not come yet.
            time.sleep(0.01)
        sock.sendall(request)
        answer = b""
        while data := sock.recv(4096):
            answer += data
        sock.close()
        if b" 200 " not in answer:
            sys.exit(f"answer {answer!r}")
    # A SYN that is sent again takes a second.
    taken = time.monotonic() - start
    print(f"{taken:.3f} s")
    if taken > 1:
        sys.exit("too slow")


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
