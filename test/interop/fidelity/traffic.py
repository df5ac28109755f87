"""What iperf3 and ping do not send.

  traffic.py sink ADDRESS...            takes TCP on PORT and answers nothing, until it is ended
  traffic.py send SECONDS IPV4 IPV6     UDP cut by the kernel, UDP for other tunnels' ports,
                                        fragments, IPv6 extension headers, odd TOS and TTL
"""

import random
import socket
import sys
import threading
import time

PORT = 7001
UDP_SEGMENT = 103
IP_MTU_DISCOVER = 10
IP_PMTUDISC_DONT = 0
IPV6_HOPOPTS = 54
IPV6_DSTOPTS = 59
# Next header, length 0 (8 bytes), PadN of four bytes (RFC 8200 section 4.2).
PADDING = bytes([0, 0, 1, 4, 0, 0, 0, 0])
TUNNEL_PORTS = (4789, 8472, 6081)
PAUSE = 0.02


def sink(addresses):
    def serve(address):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        server = socket.create_server((address, PORT), family=family)
        while True:
            connection, _ = server.accept()
            threading.Thread(target=drain, args=(connection,), daemon=True).start()

    def drain(connection):
        while connection.recv(1 << 16):
            pass

    for address in addresses:
        threading.Thread(target=serve, args=(address,), daemon=True).start()
    print("ready", flush=True)
    threading.Event().wait()


def udp(address, port, **options):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    to = socket.socket(family, socket.SOCK_DGRAM)
    if "segment" in options:
        to.setsockopt(socket.SOL_UDP, UDP_SEGMENT, options["segment"])
    if "tos" in options and family == socket.AF_INET:
        to.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, options["tos"])
        to.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, options["ttl"])
    if "tos" in options and family == socket.AF_INET6:
        to.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, options["tos"])
        to.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, options["ttl"])
    if options.get("fragmentable") and family == socket.AF_INET:
        to.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT)
    if options.get("extension"):
        to.setsockopt(socket.IPPROTO_IPV6, options["extension"], PADDING)
    to.connect((address, port))
    return to


def flows(ipv4, ipv6):
    """Pairs of a socket and the sizes it sends."""
    for number, address in enumerate((ipv4, ipv6)):
        for segment in (100, 777, 1200, 1352):
            tos = 4 * segment % 256
            may_be_cut = segment == 777
            to = udp(
                address, 7100 + segment, segment=segment, tos=tos, ttl=60, fragmentable=may_be_cut
            )
            yield to, lambda segment=segment: random.randint(1, min(60000, 40 * segment))
        for port in TUNNEL_PORTS:
            yield udp(address, port, segment=1000), lambda: 9000
        for ttl in (5, 64, 200):
            yield udp(address, 7200 + ttl, tos=ttl, ttl=ttl), lambda: random.randint(0, 1300)
        yield udp(address, 7301 + number), lambda: random.randint(2000, 9000)
    for extension in (IPV6_DSTOPTS, IPV6_HOPOPTS):
        yield udp(ipv6, 7400 + extension, extension=extension), lambda: random.randint(0, 3000)


def send_udp(end, ipv4, ipv6):
    all_flows = list(flows(ipv4, ipv6))
    while time.monotonic() < end:
        for to, size in all_flows:
            try:
                to.send(random.randbytes(size()))
            except ConnectionRefusedError:
                pass  # nobody listens there, and says so
        time.sleep(PAUSE)


def send_tcp(end, address):
    """TCP behind an IPv6 extension header."""
    to = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    to.setsockopt(socket.IPPROTO_IPV6, IPV6_DSTOPTS, PADDING)
    to.connect((address, PORT))
    while time.monotonic() < end:
        to.send(random.randbytes(1 << 14))
        time.sleep(PAUSE)


def send(seconds, ipv4, ipv6):
    end = time.monotonic() + seconds
    tcp = threading.Thread(target=send_tcp, args=(end, ipv6))
    tcp.start()
    send_udp(end, ipv4, ipv6)
    tcp.join()


if sys.argv[1] == "sink":
    sink(sys.argv[2:])
else:
    send(float(sys.argv[2]), sys.argv[3], sys.argv[4])
