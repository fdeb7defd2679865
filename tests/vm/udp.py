# SPDX-License-Identifier: GPL-2.0
"""UDP for the scenarios.

  serve ADDR PORT NAME         answer each datagram with NAME and what was in it
  echo ADDR PORT               answer each datagram with the same
  ask ADDR PORT COUNT          COUNT datagrams, each from a port of its own; print
                               who answered, or - when nobody did
  stream ADDR PORT SECS RATE   numbered datagrams from one port; print "sent N
                               answered N", false when any is lost or doubled
  flood ADDR PORT SECS         as many as go out; nobody answers
  big ADDR PORT SIZE           one of that size, without DF; print who answered
"""

import select
import socket
import struct
import sys
import time


def udp():
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def serve(addr, port, name):
    sock = udp()
    sock.bind((addr, int(port)))
    while True:
        data, sender = sock.recvfrom(65535)
        sock.sendto(name.encode() + b" " + data, sender)


def echo(addr, port):
    sock = udp()
    sock.bind((addr, int(port)))
    while True:
        sock.sendto(*sock.recvfrom(65535))


def ask(addr, port, count, data=b"?"):
    for _ in range(int(count)):
        sock = udp()
        sock.settimeout(3)
        sock.sendto(data, (addr, int(port)))
        try:
            answer, sender = sock.recvfrom(65535)
            name, _, echoed = answer.partition(b" ")
            if sender != (addr, int(port)) or echoed != data:
                sys.exit(f"{answer[:40]!r} from {sender}")
            print(name.decode())
        except TimeoutError:
            print("-")
        sock.close()


def big(addr, port, size):
    ask(addr, port, 1, bytes(int(size)))


def stream(addr, port, seconds, rate):
    sock = udp()
    sock.connect((addr, int(port)))
    start = time.monotonic()
    end, gap = start + float(seconds), 1 / float(rate)
    sent, answers = 0, {}

    def take():
        data = sock.recv(2048)
        number = struct.unpack("!I", data[-4:])[0]
        answers[number] = answers.get(number, 0) + 1

    while time.monotonic() < end:
        sock.send(struct.pack("!I", sent))
        sent += 1
        while True:
            left = start + sent * gap - time.monotonic()
            if not select.select([sock], [], [], max(left, 0))[0]:
                break
            take()
    while select.select([sock], [], [], 2)[0]:
        take()
    print(f"sent {sent} answered {len(answers)}")
    lost = sorted(set(range(sent)) - set(answers))
    doubled = [number for number, times in answers.items() if times > 1]
    if lost or doubled:
        sys.exit(f"lost {lost[:10]} doubled {doubled[:10]}")


def flood(addr, port, seconds):
    sock = udp()
    sock.connect((addr, int(port)))
    end, sent = time.monotonic() + float(seconds), 0
    while time.monotonic() < end:
        for _ in range(50):
            try:
                sock.send(b"flood")
                sent += 1
            except (BlockingIOError, ConnectionRefusedError):
                pass
    print(f"sent {sent}")


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
