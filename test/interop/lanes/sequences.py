"""Numbered datagrams of many flows, there and back.

  sequences.py echo ADDRESS                returns what comes to PORT, until it is ended
  sequences.py send ADDRESS FLOWS SECONDS  prints what became of them, as JSON

Each flow has a port of its own and only so many datagrams under way, so none is lost for want of
room. The echo notes in each how many came out of order before it.
"""

import json
import select
import socket
import struct
import sys
import time

PORT = 7002
UNDER_WAY = 16
HEADER = struct.Struct("!QQ")  # its number; how many of its flow came out of order there
PADDING = bytes(600)
SO_RCVBUFFORCE = 33
ROOM = 8 << 20
# A datagram that is not back by then is lost.
PATIENCE_SECONDS = 3


def roomy():
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, ROOM)
    return made


def echo(address):
    server = roomy()
    server.bind((address, PORT))
    print("ready", flush=True)
    expected = {}
    disordered = {}
    while True:
        datagram, source = server.recvfrom(2048)
        number, _ = HEADER.unpack_from(datagram)
        if number != expected.get(source, 0):
            disordered[source] = disordered.get(source, 0) + 1
        expected[source] = number + 1
        server.sendto(HEADER.pack(number, disordered.get(source, 0)) + PADDING, source)


class Flow:
    def __init__(self, address):
        self.socket = roomy()
        self.socket.connect((address, PORT))
        self.socket.setblocking(False)
        self.sent = 0
        self.back = 0
        self.expected = 0
        self.disordered = {"there": 0, "back": 0}

    def send(self):
        while self.sent - self.back < UNDER_WAY:
            self.socket.send(HEADER.pack(self.sent, 0) + PADDING)
            self.sent += 1

    def receive(self):
        number, there = HEADER.unpack_from(self.socket.recv(2048))
        self.disordered["there"] = there
        if number != self.expected:
            self.disordered["back"] += 1
        self.expected = number + 1
        self.back += 1


def send(address, count, seconds):
    flows = {flow.socket: flow for flow in (Flow(address) for _ in range(count))}
    end = time.monotonic() + seconds
    while True:
        is_over = time.monotonic() > end
        if not is_over:
            for flow in flows.values():
                flow.send()
        if is_over and all(flow.back == flow.sent for flow in flows.values()):
            break
        readable, _, _ = select.select(list(flows), [], [], PATIENCE_SECONDS)
        if not readable:
            break
        for each in readable:
            flows[each].receive()
    total = {"sent": sum(flow.sent for flow in flows.values())}
    total["lost"] = total["sent"] - sum(flow.back for flow in flows.values())
    for direction in ("there", "back"):
        total[direction] = sum(flow.disordered[direction] for flow in flows.values())
    print(json.dumps(total))


if sys.argv[1] == "echo":
    echo(sys.argv[2])
else:
    send(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
