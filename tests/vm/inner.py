# SPDX-License-Identifier: GPL-2.0
"""A UDP datagram as a tunnel sends it: its own checksum is complete, that of the
packet inside is left to the NIC (local checksum offload).

inner.py IF MAC SOURCE DEST PORT: prints what has to arrive, in hex."""
import socket
import struct
import sys

SOL_PACKET = 263
PACKET_VNET_HDR = 15
NEEDS_CSUM = 1
HEADERS = 14 + 20 + 8
# Where the checksum of the packet inside is, octets from its start.
FIELD = 6


def csum(octets):
    octets += b"\0" * (len(octets) % 2)
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def with_field(octets, value):
    return octets[:FIELD] + struct.pack("!H", value) + octets[FIELD + 2 :]


ifname, mac, source, dest, port = sys.argv[1:]
source, dest = socket.inet_aton(source), socket.inet_aton(dest)
packet = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
packet.bind((ifname, 0))
packet.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)

# The sum of a pseudo header is in the field.
partial = with_field(bytes(range(48)), 0x1234)
payload = with_field(partial, csum(partial))
length = 8 + len(payload)
udp = struct.pack("!HHHH", 4096, int(port), length, 0)
check = csum(source + dest + struct.pack("!HH", 17, length) + udp + payload) or 0xFFFF
udp = udp[:6] + struct.pack("!H", check)
ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + length, 1, 0, 64, 17, 0, source, dest)
ip = ip[:10] + struct.pack("!H", csum(ip)) + ip[12:]
eth = bytes.fromhex(mac.replace(":", "")) + packet.getsockname()[4] + b"\x08\0"
header = struct.pack("<BBHHHH", NEEDS_CSUM, 0, 0, 0, HEADERS, FIELD)
packet.send(header + eth + ip + udp + partial)
print(payload.hex())
