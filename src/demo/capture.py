#!/usr/bin/env python3
"""Looks at every packet of this network namespace and says what it saw, as one line of JSON.

Usage: capture.py MARKER INTERFACE...

Counts the packets that arrive at the interfaces (a TUN interface: either way), and in how many
of them the marker, a text that the demo sends through the tunnel, can be read. A line
"sample N" on standard input makes the kernel show one packet in N from then on; the end of
standard input ends the capture.
"""

import json
import select
import socket
import struct
import sys

ETH_P_ALL = 3
ETH_P_IP = 0x0800
ETH_P_ARP = 0x0806
ETH_P_IPV6 = 0x86DD
SOL_PACKET = 263
PACKET_STATISTICS = 6
PACKET_VNET_HDR = 15
PACKET_OUTGOING = 4
ARPHRD_ETHER = 1
SO_ATTACH_FILTER = 26
SO_RCVBUFFORCE = 33
RECEIVE_BUFFER = 32 << 20
LONGEST_PACKET = 1 << 17
VIRTIO_HEADER = struct.Struct("<BBHHHH")
VIRTIO_GSO_UDP_L4 = 5
# Offset of the kernel's random word in a classic BPF program (SKF_AD_OFF + SKF_AD_RANDOM).
BPF_RANDOM = 0xFFFFF000 + 56

WIREGUARD_PORT = 51820
# Ports of encapsulations without a seal: VXLAN, and Flannel's udp.
CLEAR_PORTS = (4789, 8285)
# A VXLAN header as heddle writes it begins with this: the I flag alone.
VXLAN_FLAGS = b"\x08\x00\x00\x00"
VXLAN_HEADER = 8
# WireGuard's messages, and heddle's own data messages.
MESSAGE_TYPES = {
    1: "initiation",
    2: "response",
    3: "cookie",
    4: "data",
    0x48: "heddleData",
    0x01000048: "heddleData",
}


class Tally:
    """What was seen so far."""

    def __init__(self, marker):
        self.marker = marker
        self.packets = 0
        self.with_marker = 0
        self.messages = dict.fromkeys(MESSAGE_TYPES.values(), 0)
        self.behind_vxlan = 0
        self.clear = 0
        self.arp = 0
        self.other = 0
        self.samples = []

    def add(self, protocol, packet, segment_bytes):
        self.packets += 1
        if self.marker in packet:
            self.with_marker += 1
        if protocol == ETH_P_ARP:
            self.arp += 1
            return
        port, payload = heddle_payload(protocol, packet)
        segment_bytes = segment_bytes or len(payload)
        if port in CLEAR_PORTS:
            self.clear += -(-len(payload) // segment_bytes)
        elif port is None or not self.add_messages(payload, segment_bytes):
            self.other += 1
        elif len(self.samples) < 4:
            self.samples.append(packet[:256].hex())

    def add_messages(self, payload, segment_bytes):
        """Counts the datagrams of a batch; false where one is none of ours."""
        is_ours = len(payload) > 0
        for at in range(0, len(payload), segment_bytes):
            if payload[at : at + 4] == VXLAN_FLAGS:
                self.behind_vxlan += 1
                at += VXLAN_HEADER
            kind = int.from_bytes(payload[at : at + 4], "little")
            if kind in MESSAGE_TYPES:
                self.messages[MESSAGE_TYPES[kind]] += 1
            else:
                is_ours = False
        return is_ours


def heddle_payload(protocol, packet):
    """The port of heddle's that a UDP datagram is for, and what it carries; None for any other."""
    if protocol == ETH_P_IP and len(packet) >= 20 and packet[9] == socket.IPPROTO_UDP:
        at = (packet[0] & 15) * 4
    elif protocol == ETH_P_IPV6 and len(packet) >= 40 and packet[6] == socket.IPPROTO_UDP:
        at = 40
    else:
        return None, b""
    if len(packet) <= at + 8:
        return None, b""
    _, destination = struct.unpack_from("!HH", packet, at)
    is_heddle = destination == WIREGUARD_PORT or destination in CLEAR_PORTS
    return (destination if is_heddle else None), packet[at + 8 :]


def open_socket():
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
    # Offloads hand several datagrams over as one packet; this header says how long each is.
    sock.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    return sock


def sample(sock, one_in):
    """Lets one packet in `one_in` through, chosen by the kernel: a classic BPF program."""
    program = [
        (0x20, 0, 0, BPF_RANDOM),  # A = random word
        (0x94, 0, 0, one_in),  # A %= one_in
        (0x15, 0, 1, 0),  # A == 0?
        (0x06, 0, 0, LONGEST_PACKET),  # take it
        (0x06, 0, 0, 0),  # or not
    ]
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in program)
    import ctypes

    buffer = ctypes.create_string_buffer(code)
    fprog = struct.pack("HL", len(program), ctypes.addressof(buffer))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, fprog)


def receive(sock, tally, interfaces):
    data, (interface, protocol, kind, hardware, _) = sock.recvfrom(LONGEST_PACKET)
    is_ethernet = hardware == ARPHRD_ETHER
    # What leaves one port of a switch has come in at another, and is counted there.
    if interface not in interfaces or (is_ethernet and kind == PACKET_OUTGOING):
        return
    _, gso_type, _, gso_bytes, _, _ = VIRTIO_HEADER.unpack_from(data)
    segment_bytes = gso_bytes if gso_type & 0x7F == VIRTIO_GSO_UDP_L4 else 0
    start = VIRTIO_HEADER.size + (14 if is_ethernet else 0)
    tally.add(protocol, data[start:], segment_bytes)


def main(marker, *interfaces):
    tally = Tally(marker.encode())
    sock = open_socket()
    print("ready", flush=True)
    while True:
        readable, _, _ = select.select([sock, sys.stdin], [], [])
        if sock in readable:
            receive(sock, tally, interfaces)
        if sys.stdin in readable:
            line = sys.stdin.readline()
            if line == "":
                break
            sample(sock, int(line.split()[1]))
    sock.setblocking(False)
    try:
        while True:
            receive(sock, tally, interfaces)
    except BlockingIOError:
        pass
    _, missed = struct.unpack("II", sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
    report = {
        "packets": tally.packets,
        "withMarker": tally.with_marker,
        "messages": tally.messages,
        "behindVxlan": tally.behind_vxlan,
        "clear": tally.clear,
        "arp": tally.arp,
        "other": tally.other,
        "missed": missed,
        "samples": tally.samples,
    }
    print(json.dumps(report), flush=True)


main(*sys.argv[1:])
