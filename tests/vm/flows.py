# SPDX-License-Identifier: GPL-2.0
"""Many flows of numbered datagrams, each from a port of its own.

  serve ADDR PORT                    answer each datagram with itself, and with how
                                     many of its flow came before it
  send ADDR PORT FLOWS COUNT [some]  COUNT datagrams in each of FLOWS; false when one
                                     is lost, doubled or out of order, or with
                                     "some" when that is true of more than half
  rounds ADDR PORT COUNT             COUNT datagrams, each after the answer to the one
                                     before and a pause, as long as nothing to long
                                     enough for an engine to fall asleep; false when
                                     one stays without
"""

import select
import socket
import struct
import sys
import time

# Datagrams under way at a time: what rings and sockets hold for sure.
WINDOW = 64
PATIENCE = 2


def serve(addr, port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    sock.bind((addr, int(port)))
    seen = {}
    while True:
        data, peer = sock.recvfrom(2048)
        run, number = struct.unpack("!QI", data)
        key = (peer, run)
        before = seen[key] = seen.get(key, 0) + 1
        sock.sendto(data + struct.pack("!I", before - 1), peer)


def send(addr, port, flows, count, some=""):
    flows, count = int(flows), int(count)
    run = time.monotonic_ns()
    socks = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(flows)]
    poll = select.epoll()
    index = {}
    for n, sock in enumerate(socks):
        sock.connect((addr, int(port)))
        poll.register(sock, select.EPOLLIN)
        index[sock.fileno()] = n
    answers = [[] for _ in range(flows)]
    order = [(n, number) for number in range(count) for n in range(flows)]
    sent = answered = there = 0

    def take(patience):
        nonlocal answered, there
        ready = poll.poll(patience)
        for fd, _ in ready:
            data = socks[index[fd]].recv(2048)
            _, number, before = struct.unpack("!QII", data)
            answers[index[fd]].append(number)
            answered += 1
            # The way there kept the order, too.
            there += before != number
        return bool(ready)

    forgiven = 0
    while sent < len(order):
        n, number = order[sent]
        socks[n].send(struct.pack("!QI", run, number))
        sent += 1
        # A tap device with several queues moves a flow to the queue by which its first
        # answer came, and what is on the other queue then may be overtaken: no more of
        # a flow is sent before it has settled.
        while sent == flows and answered < sent and take(PATIENCE * 1000):
            pass
        while sent - answered - forgiven >= WINDOW:
            if not take(PATIENCE * 1000):
                forgiven = sent - answered
    while answered < sent and take(PATIENCE * 1000):
        pass
    wrong = sum(sorted(got) != got or len(set(got)) != len(got) for got in answers)
    print(f"sent {sent} lost {sent - answered} flows out of order {wrong}, there {there}")
    bad = sent - answered or wrong or there
    if some:
        bad = answered * 2 < sent
    sys.exit(1 if bad else 0)


def rounds(addr, port, count):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect((addr, int(port)))
    # A machine with much to do may pause for seconds. After five the kernel asks
    # whether its neighbour is there, which wakes who had slept through a packet.
    sock.settimeout(4)
    run = time.monotonic_ns()
    longest = 0
    for number in range(int(count)):
        pause = time.monotonic_ns() + number * 7919 % 2000 * 1000
        while time.monotonic_ns() < pause:
            pass
        begun = time.monotonic_ns()
        sock.send(struct.pack("!QI", run, number))
        try:
            sock.recv(2048)
        except TimeoutError:
            print(f"round {number} has no answer")
            sys.exit(1)
        longest = max(longest, time.monotonic_ns() - begun)
    print(f"{count} rounds, the longest {longest // 1000} us")


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
