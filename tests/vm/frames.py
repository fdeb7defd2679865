# SPDX-License-Identifier: GPL-2.0
"""Frames made by hand, for the scenarios.

  orphan IF MAC VIP PORT     a segment with data of no connection; it must be
                             answered with the reset of RFC 9293
  mangled IF                 frames cut off at every length, sent by the host
  segments IF MAC VIP PORT   packets to be segmented (virtio_net_hdr) whose header
                             does not fit them
  tunnel IF MAC VIP PORT     a datagram as a tunnel sends it: its own checksum is
                             complete, that of the packet inside is left to the
                             NIC; prints in hex what has to arrive

A header is a function of its fields; `raw` sends and receives on one interface.
"""

import fcntl
import select
import socket
import struct
import sys
import time

SYN, ACK, RST, PSH, FIN, URG = 0x02, 0x10, 0x04, 0x08, 0x01, 0x20
TCP, UDP, ICMP = 6, 17, 1


def checksum(octets):
    octets += b"\0" * (len(octets) % 2)
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def addr(text):
    return socket.inet_aton(text)


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def ether(dst, src, proto, payload):
    return dst + src + struct.pack("!H", proto) + payload


def ipv4(src, dst, proto, payload, *, vihl=0x45, tot_len=None, frag=0x4000, ttl=64, options=b"", check=None):
    """`vihl`, `tot_len` and `check` as given, also when they lie."""
    length = 20 + len(options) + len(payload) if tot_len is None else tot_len

    def header(check):
        fixed = struct.pack("!BBHHHBBH", vihl, 0, length & 0xFFFF, 7, frag, ttl, proto, check)
        return fixed + addr(src) + addr(dst) + options

    return header(checksum(header(0)) if check is None else check) + payload


def pseudo(src, dst, proto, length):
    return addr(src) + addr(dst) + struct.pack("!BBH", 0, proto, length)


def tcp(src, dst, sport, dport, *, flags=SYN, doff=5, seq=1000, ack=0, data=b""):
    def segment(check):
        return struct.pack("!HHIIBBHHH", sport, dport, seq, ack, doff << 4, flags, 1024, check, 0) + data

    return segment(checksum(pseudo(src, dst, TCP, 20 + len(data)) + segment(0)))


def udp(src, dst, sport, dport, data=b"", *, length=None):
    length = 8 + len(data) if length is None else length

    def datagram(check):
        return struct.pack("!HHHH", sport, dport, length & 0xFFFF, check) + data

    return datagram(checksum(pseudo(src, dst, UDP, 8 + len(data)) + datagram(0)) or 0xFFFF)


def icmp(kind, code=0, data=b"ping"):
    rest = struct.pack("!HH", 1, 1) + data
    return struct.pack("!BBH", kind, code, checksum(struct.pack("!BBH", kind, code, 0) + rest)) + rest


def arp(op, sha, sip, tha, tip, fixed=b"\0\1\x08\0\6\4"):
    return fixed + struct.pack("!H", op) + sha + addr(sip) + tha + addr(tip)


def raw(name):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    sock.bind((name, 0))
    return sock


def raw_with_header(name):
    """Frames are sent behind a virtio_net_hdr."""
    sock = raw(name)
    sock.setsockopt(263, 15, 1)  # SOL_PACKET, PACKET_VNET_HDR
    return sock


def mac_of(name):
    with socket.socket() as sock:
        return fcntl.ioctl(sock, 0x8927, name.encode().ljust(40, b"\0"))[18:24]


def address_of(name):
    with socket.socket() as sock:
        return socket.inet_ntoa(fcntl.ioctl(sock, 0x8915, name.encode().ljust(40, b"\0"))[20:24])


def received(sock, wanted, seconds=3):
    """The first frame that `wanted` says yes to."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if select.select([sock], [], [], left)[0]:
            frame, where = sock.recvfrom(65535)
            if where[2] != socket.PACKET_OUTGOING and wanted(frame):
                return frame
    return None


def orphan(name, gateway, vip, port):
    sock, ours, us = raw(name), mac_of(name), address_of(name)
    sport, port = 45678, int(port)
    segment = tcp(us, vip, sport, port, flags=PSH | ACK, seq=5000, ack=77777, data=b"hello")
    sock.send(ether(mac(gateway), ours, 0x0800, ipv4(us, vip, TCP, segment)))

    def ours_to(frame):
        return frame[23:24] == bytes([TCP]) and frame[34:38] == struct.pack("!HH", port, sport)

    frame = received(sock, ours_to)
    if frame is None:
        sys.exit("no answer")
    packet, reset = frame[14:], frame[34:54]
    seq, ack, flags = *struct.unpack("!II", reset[4:12]), reset[13]
    sums = checksum(packet[:20]), checksum(pseudo(vip, us, TCP, 20) + reset)
    addresses = socket.inet_ntoa(packet[12:16]), socket.inet_ntoa(packet[16:20])
    if (seq, ack, flags, sums, addresses) != (77777, 0, RST, (0, 0), (vip, us)):
        sys.exit(f"seq {seq} ack {ack} flags {flags:#x} sums {sums} addresses {addresses}")


def mangled(name):
    sock, ours = raw(name), mac_of(name)
    whole = ether(b"\2\0\0\0\0\x99", ours, 0x0800, ipv4("10.1.0.1", "10.1.0.2", TCP, tcp("10.1.0.1", "10.1.0.2", 1, 2)))
    for length in range(14, len(whole)):
        sock.send(whole[:length])


def segments(name, gateway, vip, port):
    """virtio_net_hdr: flags, GSO type, header length, GSO size, checksum start and offset."""
    sock, ours, us = raw_with_header(name), mac_of(name), address_of(name)
    sent = refused = 0
    for proto, transport in (
        (TCP, tcp(us, vip, 33000, int(port), flags=SYN, data=bytes(5000))),
        (TCP, tcp(us, vip, 33001, int(port), flags=ACK, data=bytes(5000))),
        (UDP, udp(us, vip, 33002, int(port), bytes(5000))),
        (UDP, udp(us, vip, 33003, 53, bytes(5000))),
    ):
        frame = ether(mac(gateway), ours, 0x0800, ipv4(us, vip, proto, transport))
        for kind in (0, 1, 3, 4, 5, 0x81, 0xFF):
            for size in (0, 1, 7, 1000, 1460, 9000, 65535):
                for start, offset in ((34, 16), (34, 6), (14, 10), (40, 16), (200, 2), (34, 4000)):
                    for head in (0, 20, 54, 65535):
                        header = struct.pack("=BBHHHH", 1, kind, head, size, start, offset)
                        try:
                            sock.send(header + frame)
                            sent += 1
                        except OSError:
                            refused += 1
                        if sent % 32 == 0:
                            time.sleep(0.005)
    print(f"sent {sent}, not taken {refused}")


def tunnel(name, gateway, vip, port):
    sock, ours, us = raw_with_header(name), mac_of(name), address_of(name)

    def inside(check):
        return bytes(range(6)) + struct.pack("!H", check) + bytes(range(8, 48))

    # The sum of a pseudo header is in the field.
    partial = inside(0x1234)
    whole = inside(checksum(partial))
    datagram = udp(us, vip, 4096, int(port), whole)[:8] + partial
    frame = ether(mac(gateway), ours, 0x0800, ipv4(us, vip, UDP, datagram))
    sock.send(struct.pack("=BBHHHH", 1, 0, 0, 0, 42, 6) + frame)
    print(whole.hex())


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
