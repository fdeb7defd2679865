# SPDX-License-Identifier: GPL-2.0
"""Sends groups of frames of every kind of wrongness at a port, and compares what
the switch counts with what a second reading of the rules expects.

  badframes.py NETNS IF PORT-MAC VIP HOST

IF is the interface in NETNS that is cabled to the port. A tcp:VIP:80 and an
udp:VIP:53 service exist, each with a backend; HOST is an address of the host.
"""

import ctypes
import json
import os
import socket
import struct
import subprocess
import sys
import time

from frames import ACK, FIN, ICMP, RST, SYN, TCP, UDP, address_of, arp, ether, icmp, ipv4, mac, mac_of, raw, tcp, udp

OPTIONS = {4 * n: b"\1" * (4 * n) for n in range(11)}


def entered(namespace, what, *args):
    """Does something in a network namespace and comes back."""
    libc = ctypes.CDLL(None, use_errno=True)
    here = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        if libc.setns(there, 0x40000000):
            sys.exit("setns")
        return what(*args)
    finally:
        libc.setns(here, 0x40000000)
        os.close(here)
        os.close(there)


class Switch:
    """The counters, and a socket to a port."""

    def __init__(self, namespace, name, port_mac):
        self.sock = entered(namespace, raw, name)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
        self.ours = entered(namespace, mac_of, name)
        self.us = entered(namespace, address_of, name)
        self.mac = mac(port_mac)
        self.failed = 0

    def counters(self):
        out = subprocess.run(["smplbctl", "-j", "stats"], stdout=subprocess.PIPE, check=True).stdout
        stats = json.loads(out)
        found = {drop["reason"]: drop["packets"] for drop in stats["drops"]}
        for key in ("packets", "forwarded", "stack", "replied", "resolved"):
            found[key] = sum(engine[key] for engine in stats["engines"])
        return found

    def group(self, what, frames):
        """`frames` are pairs of what must be counted for each and its octets."""
        frames = list(frames)
        wanted = {}
        for verdict, _ in frames:
            for key in verdict.split("+"):
                wanted[key] = wanted.get(key, 0) + 1
        before = self.counters()
        for n, (_, frame) in enumerate(frames):
            self.sock.send(frame)
            if n % 64 == 63:
                time.sleep(0.01)
        for _ in range(20):
            wrong = self.differences(before, wanted, len(frames))
            if not wrong:
                break
            time.sleep(0.1)
        print(f"{'ok' if not wrong else 'WRONG'}: {what}: {len(frames)} frames, {wanted}")
        if wrong:
            self.failed += 1
            print(f"   counted and wanted: {wrong}")

    def differences(self, before, wanted, frames):
        counted = {key: n - before[key] for key, n in self.counters().items()}
        # The host and the other side may say something of their own meanwhile.
        extra = counted.pop("packets") - frames
        wrong = {} if extra >= 0 else {"packets": (frames + extra, frames)}
        for key, n in counted.items():
            most = extra if key in ("stack", "forwarded", "resolved") else 0
            if not 0 <= n - wanted.get(key, 0) <= most:
                wrong[key] = n, wanted.get(key, 0)
        return wrong

    def to(self, packet, proto=0x0800, dst=None):
        return ether(dst or self.mac, self.ours, proto, packet)


class Cases:
    """Groups of frames to an address: the VIP, or one that is none."""

    def __init__(self, switch, dst, vip):
        self.s, self.dst, self.vip = switch, dst, vip
        self.sport = 20000

    def syn(self, **fields):
        """A SYN of a connection of its own."""
        self.sport += 1
        ip = {key: fields.pop(key) for key in ("vihl", "tot_len", "frag", "ttl", "options", "check") if key in fields}
        return ipv4(self.s.us, self.dst, TCP, tcp(self.s.us, self.dst, self.sport, 80, **fields), **ip)

    def datagram(self, data=b"hello", length=None, **ip):
        self.sport += 1
        return ipv4(self.s.us, self.dst, UDP, udp(self.s.us, self.dst, self.sport, 53, data, length=length), **ip)

    def group(self, what, pairs):
        """What is not to a VIP is for the host, whatever it is."""
        where = "to the VIP" if self.vip else "to the host"
        self.s.group(f"{what}, {where}", [(verdict if self.vip else "stack", frame) for verdict, frame in pairs])

    def truncated(self, length):
        # Without a whole IPv4 header it is not known to be for a VIP.
        return "stack" if length < 34 else "bad-ip-header"

    def run(self):
        to, good = self.s.to, "forwarded"
        whole = to(self.syn())
        self.group("cut off at each length", [(self.truncated(n), whole[:n]) for n in range(14, len(whole))])
        self.group("short, and honest about it", (
            [("short-frame", to(ipv4(self.s.us, self.dst, TCP, self.syn()[20:20 + n]))) for n in range(20)]
            + [("short-frame", to(ipv4(self.s.us, self.dst, UDP, self.datagram()[20:20 + n]))) for n in range(8)]
            + [("short-frame", to(ipv4(self.s.us, self.dst, ICMP, icmp(8)[:n]))) for n in range(8)]))
        self.group("version and header length", self.versions())
        size = len(self.syn())
        lengths = [*range(0, size + 20), 0x7FFF, 0x8000, 0xFFFF]
        self.group("total length", [
            (good if n == size else "bad-ip-header" if n < 20 or n > size else "short-frame", to(self.syn(tot_len=n)))
            for n in lengths])
        header = self.syn()
        right = struct.unpack("!H", header[10:12])[0]
        self.group("header checksum", [
            ("bad-ip-checksum", to(header[:10] + struct.pack("!H", right ^ 1 << bit) + header[12:]))
            for bit in range(16)])
        self.group("fragments", [
            (good if frag & 0x3FFF == 0 else "fragment", to(self.syn(frag=frag)))
            for frag in (0, 0x4000, 0x8000, 0x2000, 0x6000, 1, 2, 0x1FFF, 0x3FFF)])
        self.group("time to live", [
            ("ttl-expired" if ttl < 2 else good, to(self.syn(ttl=ttl))) for ttl in (0, 1, 2, 255)])
        self.group("time to live, with room for an answer", [
            ("ttl-expired+replied", to(self.syn(ttl=ttl, data=b"x" * 40))) for ttl in (0, 1)])
        self.group("TCP data offset", [
            (good if doff == 5 else "bad-l4-header", to(self.syn(doff=doff))) for doff in range(16)])
        size = len(self.datagram()) - 20
        self.group("UDP length", [
            ("bad-l4-header" if n < 8 or n > size else good, to(self.datagram(length=n)))
            for n in [*range(size + 10), 0x7FFF, 0xFFFF]])
        self.group("TCP flags", self.flags())
        self.group("protocols", [
            ("replied" if n == ICMP else "no-service", to(ipv4(self.s.us, self.dst, n, icmp(8) + bytes(32))))
            for n in range(256) if n not in (TCP, UDP)])
        self.group("ICMP types", [
            ("replied" if n == 8 else "no-service", to(ipv4(self.s.us, self.dst, ICMP, icmp(n)))) for n in range(256)])
        self.group("sources nobody may have", [
            ("bad-ip-header", to(self.spoofed(src, proto)))
            for src in ("0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", self.dst) for proto in (TCP, UDP)])
        self.group("for other machines", [
            ("stack", self.s.to(self.syn(), dst=mac(dst)))
            for dst in ("02:00:00:00:00:99", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01")])

    def versions(self):
        for vihl in range(256):
            version, ihl = vihl >> 4, vihl & 15
            options = OPTIONS.get(4 * (ihl - 5), b"")
            verdict = "forwarded" if vihl == 0x45 else "bad-ip-header" if version != 4 or ihl < 5 else "ip-options"
            yield verdict, self.s.to(self.syn(vihl=vihl, options=options))

    def flags(self):
        for flags in range(256):
            if flags & (SYN | ACK | RST | FIN) == SYN:
                verdict = "forwarded"
            else:
                verdict = "reset-limited" if flags & RST else "no-connection+replied"
            yield verdict, self.s.to(self.syn(flags=flags))

    def spoofed(self, src, proto):
        self.sport += 1
        if proto == TCP:
            return ipv4(src, self.dst, TCP, tcp(src, self.dst, self.sport, 80))
        return ipv4(src, self.dst, UDP, udp(src, self.dst, self.sport, 53))


def arps(switch, vip):
    ask = arp(1, switch.ours, switch.us, bytes(6), vip)
    broadcast = b"\xff" * 6

    def to(packet, dst=broadcast):
        return switch.to(packet, 0x0806, dst)

    whole = to(ask)
    switch.group("ARP cut off at each length", [("stack", whole[:n]) for n in range(14, len(whole))])
    switch.group("ARP for the VIP", [
        ("replied", whole), ("replied", to(ask, switch.mac)),
        ("replied", to(arp(1, switch.ours, "0.0.0.0", bytes(6), vip))),
        ("replied", whole + bytes(18))])
    switch.group("ARP that is not", [
        *(("stack", to(arp(op, switch.ours, switch.us, bytes(6), vip))) for op in (0, 2, 3, 255, 65535)),
        *(("stack", to(ask[:n] + bytes([ask[n] ^ 0x40]) + ask[n + 1:])) for n in range(6)),
        ("stack", to(ask, b"\2\0\0\0\0\x99")),
        ("stack", to(arp(1, b"\1\0\0\0\0\1", switch.us, bytes(6), vip))),
        ("stack", to(arp(1, b"\2\0\0\0\0\1", switch.us, bytes(6), vip))),
        ("stack", to(arp(1, switch.ours, vip, bytes(6), vip))),
        ("stack", to(arp(1, switch.ours, "224.0.0.1", bytes(6), vip))),
        ("stack", to(arp(1, switch.ours, switch.us, bytes(6), "192.0.2.77")))])


def strangers(switch, cases):
    packet = cases.syn()
    tag = struct.pack("!HH", 5, 0x0800)
    switch.group("other Ethernet protocols", [
        ("stack", switch.to(packet, proto)) for proto in (0, 46, 0x0600, 0x0801, 0x86DD, 0x8847, 0x88CC, 0xFFFF)])
    switch.group("VLANs", [
        ("stack", switch.to(tag + packet, 0x8100)), ("stack", switch.to(tag + packet, 0x88A8)),
        ("stack", switch.to(struct.pack("!HH", 0, 0x8100) + tag + packet, 0x8100)),
        *(("stack", switch.to((tag + packet)[:n], 0x8100)) for n in range(6, 30))])


def main(namespace, name, port_mac, vip, host):
    switch = Switch(namespace, name, port_mac)
    cases = Cases(switch, vip, True)
    cases.run()
    arps(switch, vip)
    strangers(switch, cases)
    Cases(switch, host, False).run()
    sys.exit(switch.failed != 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
