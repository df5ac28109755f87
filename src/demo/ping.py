#!/usr/bin/env python3
"""Pings addresses, one after the other, and says how each answered, as one line of JSON.

Usage: ping.py MARKER COUNT ADDRESS...

Real ICMP echo requests (RFC 792, RFC 4443), answered by the other host's kernel. The marker is
their payload. Until the first answer a request is repeated: the other host may not have heard yet
whose the address is.
"""

import json
import os
import select
import socket
import struct
import sys
import time

FIRST_ANSWER = 6.0
FIRST_TIMEOUT = 0.25
TIMEOUT = 1.0
ECHO_V4 = (8, 0)
ECHO_V6 = (128, 129)


def checksum(data):
    """RFC 1071; the kernel fills it in for ICMPv6 alone."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data[: len(data) & ~1]))
    if len(data) & 1:
        total += data[-1] << 8
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def echo(sock, address, sequence, payload, timeout):
    """Seconds until the answer; None when there is none in time."""
    is_v6 = sock.family == socket.AF_INET6
    kind, answer = ECHO_V6 if is_v6 else ECHO_V4
    identifier = os.getpid() & 0xFFFF
    body = struct.pack("!HH", identifier, sequence) + payload
    sum_of = 0 if is_v6 else checksum(struct.pack("!BBH", kind, 0, 0) + body)
    started = time.monotonic()
    sock.sendto(struct.pack("!BBH", kind, 0, sum_of) + body, (address, 0))
    while True:
        left = started + timeout - time.monotonic()
        if left <= 0 or not select.select([sock], [], [], left)[0]:
            return None
        data = sock.recv(65536)
        at = 0 if is_v6 else (data[0] & 15) * 4
        head = struct.unpack_from("!BBHHH", data, at)
        if (head[0], head[3], head[4]) == (answer, identifier, sequence):
            return time.monotonic() - started


def ping(address, count, payload):
    is_v6 = ":" in address
    family = socket.AF_INET6 if is_v6 else socket.AF_INET
    protocol = socket.IPPROTO_ICMPV6 if is_v6 else socket.IPPROTO_ICMP
    with socket.socket(family, socket.SOCK_RAW, protocol) as sock:
        times = [None]
        give_up = time.monotonic() + FIRST_ANSWER
        while times[-1] is None and time.monotonic() < give_up:
            times.append(echo(sock, address, len(times), payload, FIRST_TIMEOUT))
        for _ in range(count - 1):
            times.append(echo(sock, address, len(times), payload, TIMEOUT))
    milliseconds = [seconds * 1000 for seconds in times if seconds is not None]
    return {"address": address, "sent": len(times) - 1, "roundTripsMs": milliseconds}


def main(marker, count, *addresses):
    payload = (marker * 8).encode()
    print(json.dumps([ping(address, int(count), payload) for address in addresses]))


main(*sys.argv[1:])
