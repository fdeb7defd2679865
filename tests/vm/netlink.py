# SPDX-License-Identifier: GPL-2.0
"""Sends the family `smplb` messages of every kind of wrongness, thousands of
them, the same in every run; and counts what it answers.

  netlink.py SEED
"""

import random
import socket
import struct
import sys

NETLINK_GENERIC, GENL_ID_CTRL, CTRL_CMD_GETFAMILY = 16, 16, 3
REQUEST, ACK, DUMP = 1, 4, 0x300
NESTED = 0x8000
COMMANDS = range(0, 20)


def attr(kind, payload):
    octets = struct.pack("=HH", 4 + len(payload), kind) + payload
    return octets + bytes(-len(octets) % 4)


def message(family, command, attrs, flags=REQUEST | ACK, version=1):
    body = struct.pack("=BBH", command, version, 0) + attrs
    return struct.pack("=IHHII", 16 + len(body), family, flags, 1, 0) + body


class Socket:
    def __init__(self):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC)
        self.sock.bind((0, 0))
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        self.family = GENL_ID_CTRL
        self.sent, self.errors = 0, {}

    def find(self, name):
        self.sock.send(message(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, attr(2, name.encode() + b"\0")))
        answer, at = self.sock.recv(65536), 20
        while at < len(answer):
            length, kind = struct.unpack_from("=HH", answer, at)
            if kind == 1:
                self.family = struct.unpack_from("=H", answer, at + 4)[0]
            at += (length + 3) & ~3
        self.drain()
        return self

    def drain(self):
        """Reads all there is; counts the errors."""
        while True:
            try:
                data = self.sock.recv(1 << 17, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except OSError as error:
                self.errors[error.errno] = self.errors.get(error.errno, 0) + 1
                continue
            at = 0
            while at + 16 <= len(data):
                length, kind = struct.unpack_from("=IH", data, at)
                if kind == 2:
                    error = -struct.unpack_from("=i", data, at + 16)[0]
                    self.errors[error] = self.errors.get(error, 0) + 1
                at += max((length + 3) & ~3, 16)

    def send(self, octets):
        try:
            self.sock.send(octets)
            self.sent += 1
        except OSError as error:
            self.errors[error.errno] = self.errors.get(error.errno, 0) + 1
        self.drain()


SERVICE = attr(1, b"\6") + attr(2, socket.inet_aton("192.0.2.10")) + attr(3, b"\0\x50")


def genuine(command):
    """A message of the command that is right, or nearly."""
    if command in (1, 2):
        return attr(2, b"smplb0\0") + attr(6, struct.pack("=I", 1))
    if command in (3, 4, 5, 6):
        return SERVICE + attr(4, struct.pack("=I", 1)) + attr(6, struct.pack("=I", 60)) + attr(7, b"\1")
    if command in (7, 8, 9, 10):
        return attr(1 | NESTED, SERVICE) + attr(2, socket.inet_aton("10.2.0.11")) + attr(4, struct.pack("=I", 5))
    if command == 11:
        backend = attr(1, struct.pack("=I", 0)) + attr(2, socket.inet_aton("10.2.0.11"))
        return attr(1 | NESTED, SERVICE) + attr(2 | NESTED, backend) * 2
    return b""


def garbage(rng):
    """Attributes that are none, of any length, nested to any depth."""
    kind, choice = rng.choice([rng.randrange(12), rng.randrange(65536)]), rng.randrange(6)
    if choice == 0:
        return rng.randbytes(rng.randrange(40))
    if choice == 1:
        return struct.pack("=HH", rng.randrange(65536), kind) + rng.randbytes(rng.randrange(12))
    if choice == 2:
        inner = b""
        for _ in range(rng.randrange(200)):
            inner = attr(rng.randrange(8) | NESTED, inner)
        return inner
    if choice == 3:
        return attr(kind | NESTED, garbage(rng))
    return attr(kind, rng.randbytes(rng.choice([0, 1, 2, 3, 4, 8, rng.randrange(300)])))


def main(seed):
    rng, sock = random.Random(int(seed)), Socket().find("smplb")
    for command in COMMANDS:
        good = genuine(command)
        for flags in (REQUEST | ACK, REQUEST | ACK | DUMP):
            for length in range(len(good) + 1):
                sock.send(message(sock.family, command, good[:length], flags))
            for at in range(0, len(good), 2):
                bent = bytearray(good)
                bent[at] ^= 1 << rng.randrange(8)
                sock.send(message(sock.family, command, bytes(bent), flags))
    for _ in range(3000):
        attrs = b"".join(garbage(rng) for _ in range(rng.randrange(6)))
        flags = REQUEST | ACK | rng.choice([0, 0, DUMP, rng.randrange(65536)])
        sock.send(message(sock.family, rng.choice(COMMANDS), attrs, flags, rng.choice([1, 1, 0, 255])))
    # Headers that lie about the length; messages longer than any attribute, and
    # than any table.
    whole = message(sock.family, 11, genuine(11))
    for length in (0, 4, 15, 16, 17, 19, 20, 24, len(whole) - 1, len(whole) + 1, 0xFFFF, 0xFFFFFFFF):
        sock.send(struct.pack("=I", length) + whole[4:])
    for length in range(len(whole)):
        sock.send(whole[:length])
    for nest in (1, 2):
        sock.send(message(sock.family, 11, attr(nest | NESTED, SERVICE) * 5000))
        sock.send(message(sock.family, 11, attr(nest | NESTED, b"") * 60000))
        sock.send(message(sock.family, 11, attr(nest | NESTED, bytes(60000))))
    sock.send(message(sock.family, 3, bytes(200000)))
    errors = ", ".join(f"{number}: {times}" for number, times in sorted(sock.errors.items()))
    print(f"sent {sock.sent}, errors {errors}")
    if sock.sent < 4000 or not any(sock.errors.get(number) for number in (22, 34)):
        sys.exit("hardly anything was refused")


if __name__ == "__main__":
    main(*sys.argv[1:])
