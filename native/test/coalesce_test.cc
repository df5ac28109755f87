#include "datapath/coalesce.h"

#include <map>

#include "datapath/segment.h"
#include "test/packets.h"
#include "test/test.h"

namespace heddle {

namespace {

using test::Fields;
using test::Packet;

// What was written, cut again into packets.
struct Written : PacketWriter {
  std::vector<Packet> packets;
  std::vector<size_t> counts;  // packets a write

  void write(std::span<uint8_t> frame, size_t count) override {
    VirtioNetHeader header = parseVirtioNet(frame.data());
    std::span<uint8_t> packet = frame.subspan(kVirtioNetHeader);
    counts.push_back(count);
    if (header.gsoType == kVirtioGsoNone) {
      EXPECT_EQUAL(count, size_t{1});
      EXPECT_EQUAL(header.flags, uint8_t{0});
      packets.emplace_back(packet.begin(), packet.end());
      return;
    }
    // The kernel trusts this: IP header right, transport checksum the pseudo-header's sum.
    EXPECT_EQUAL(header.flags, kVirtioNeedsChecksum);
    Flow flow = classify(packet.data(), packet.size());
    EXPECT_EQUAL(flow.payloadAt, header.headerLength);
    EXPECT_EQUAL(flow.transportAt, header.checksumStart);
    if (flow.family == Family::ipv4) EXPECT(isIpv4ChecksumRight(packet.data()));
    Sum pseudo = sumPseudoHeader(flow.family, packet.data(), flow.protocol) +
                 sumBe16(static_cast<uint16_t>(packet.size() - flow.transportAt));
    EXPECT_EQUAL(loadLe16(packet.data() + header.checksumStart + header.checksumOffset),
                 foldSum(pseudo));
    Segmenter segmenter;
    EXPECT(segmenter.begin(header, packet));
    EXPECT_EQUAL(segmenter.count(), count);
    for (auto segment = segmenter.next(); !segment.empty(); segment = segmenter.next()) {
      packets.emplace_back(segment.begin(), segment.end());
    }
  }
};

struct Bench {
  Written written;
  CounterBlock counters;
  Coalescer coalescer;
  explicit Bench(CoalesceOptions options = {}) : coalescer(written, counters, options) {}

  // As if the packet had just been opened with padding behind it.
  void add(const Packet& packet) {
    size_t padding = test::random(16);
    uint8_t* at = coalescer.place(packet.size() + padding);
    std::memcpy(at, packet.data(), packet.size());
    std::memset(at + packet.size(), 0, padding);
    coalescer.add(packet.size());
  }
  // As if a forgery had been opened by a backend that decrypts before it checks.
  void forge(size_t length) {
    std::memset(coalescer.place(length), 0xee, length);
    coalescer.cancel();
  }
};

// A TCP or UDP flow that sends, packet by packet.
struct Sender {
  Fields fields;

  Packet next(size_t length) {
    fields.payload = test::randomPayload(length);
    Packet packet = test::makePacket(fields);
    fields.sequence += static_cast<uint32_t>(length);
    fields.identifier++;
    return packet;
  }
};

// The writes that a row of packets of one flow makes, as counts.
std::vector<size_t> countsOf(const std::vector<Packet>& packets, CoalesceOptions options = {}) {
  Bench bench(options);
  for (const Packet& packet : packets) bench.add(packet);
  bench.coalescer.flush();
  EXPECT(bench.written.packets == packets);
  return bench.written.counts;
}

using Counts = std::vector<size_t>;

}  // namespace

TEST("coalesce: full segments and a short last one become one write") {
  for (Family family : {Family::ipv4, Family::ipv6}) {
    for (uint8_t protocol : {kProtocolTcp, kProtocolUdp}) {
      Sender sender{{.family = family, .protocol = protocol}};
      std::vector<Packet> packets;
      for (int i = 0; i < 20; i++) packets.push_back(sender.next(1300));
      packets.push_back(sender.next(77));
      packets.push_back(sender.next(1300));
      EXPECT(countsOf(packets) == (Counts{21, 1}));
      EXPECT(countsOf(packets, {.tcp = false, .udp = false}) == Counts(22, 1));
    }
  }
}

TEST("coalesce: payloads shorter than the headers that lie over them go together too") {
  for (Family family : {Family::ipv4, Family::ipv6}) {
    for (uint8_t protocol : {kProtocolTcp, kProtocolUdp}) {
      for (size_t length : {1, 8, 27, 28, 39, 40, 41, 59, 60, 61}) {
        Sender sender{{.family = family, .protocol = protocol}};
        std::vector<Packet> packets;
        for (int i = 0; i < 20; i++) packets.push_back(sender.next(length));
        EXPECT(countsOf(packets) == (Counts{20}));
      }
    }
  }
}

TEST("coalesce: what must not be put together is not") {
  struct Row {
    const char* reason;
    void (*change)(Fields&);
  };
  const Row rows[] = {
      {"another port", [](Fields& f) { f.sourcePort++; }},
      {"a gap", [](Fields& f) { f.sequence++; }},
      {"another acknowledgement", [](Fields& f) { f.acknowledgement++; }},
      {"another window", [](Fields& f) { f.window++; }},
      {"other options", [](Fields& f) { f.options[0] = 2; }},
      {"more options", [](Fields& f) { f.options.resize(8); }},
      {"another ECN mark", [](Fields& f) { f.trafficClass = 3; }},
      {"another DSCP", [](Fields& f) { f.trafficClass = 0x20; }},
      {"another hop limit", [](Fields& f) { f.hopLimit--; }},
      {"ECE", [](Fields& f) { f.flags |= kTcpEce; }},
      {"CWR", [](Fields& f) { f.flags |= kTcpCwr; }},
      {"FIN", [](Fields& f) { f.flags |= kTcpFin; }},
      {"SYN", [](Fields& f) { f.flags |= 2; }},
      {"RST", [](Fields& f) { f.flags |= 4; }},
      {"URG", [](Fields& f) { f.flags |= 32; }},
  };
  for (const Row& row : rows) {
    for (Family family : {Family::ipv4, Family::ipv6}) {
      Sender sender{{.family = family, .options = {1, 1, 1, 1}}};
      std::vector<Packet> packets = {sender.next(500), sender.next(500)};
      row.change(sender.fields);
      packets.push_back(sender.next(500));
      if (countsOf(packets) != (Counts{2, 1})) test::fail(__FILE__, __LINE__, row.reason);
    }
  }
}

TEST("coalesce: IPv4 identifiers count up where fragmenting is allowed") {
  Sender sender{{.fragment = 0}};
  std::vector<Packet> packets = {sender.next(500), sender.next(500)};
  sender.fields.identifier++;
  packets.push_back(sender.next(500));
  EXPECT(countsOf(packets) == (Counts{2, 1}));
}

TEST("coalesce: a pushed packet ends the super-packet, and PSH stays on its last segment") {
  Sender sender{{}};
  std::vector<Packet> packets = {sender.next(500), sender.next(500)};
  sender.fields.flags |= kTcpPush;
  packets.push_back(sender.next(500));
  packets.push_back(sender.next(500));
  EXPECT(countsOf(packets) == (Counts{3, 1}));
}

TEST("coalesce: ECE on all is no hindrance, CWR on all is, and PSH on the first leaves it alone") {
  Sender sender{{.flags = kTcpAck | kTcpEce}};
  EXPECT(countsOf({sender.next(500), sender.next(500)}) == (Counts{2}));
  sender.fields.flags = kTcpAck | kTcpCwr;
  EXPECT(countsOf({sender.next(500), sender.next(500)}) == (Counts{1, 1}));
  sender.fields.flags = kTcpAck | kTcpPush;
  Packet pushed = sender.next(500);
  sender.fields.flags = kTcpAck;
  EXPECT(countsOf({pushed, sender.next(500), sender.next(500)}) == (Counts{1, 2}));
}

TEST("coalesce: longer packets and empty ones start anew") {
  Sender sender{{}};
  EXPECT(countsOf({sender.next(100), sender.next(200), sender.next(0), sender.next(200)}) ==
         (Counts{1, 1, 1, 1}));
}

TEST("coalesce: a wrong checksum is handed on as it came, alone") {
  for (uint8_t protocol : {kProtocolTcp, kProtocolUdp}) {
    for (size_t wrong = 0; wrong < 3; wrong++) {
      Sender sender{{.protocol = protocol}};
      std::vector<Packet> packets = {sender.next(500), sender.next(500), sender.next(500)};
      packets[wrong].back() = static_cast<uint8_t>(packets[wrong].back() ^ 1);
      const Counts expected[] = {{1, 2}, {1, 1, 1}, {2, 1}};
      EXPECT(countsOf(packets) == expected[wrong]);
    }
  }
}

TEST("coalesce: UDP without checksum goes together, but not over IPv6") {
  for (Family family : {Family::ipv4, Family::ipv6}) {
    Sender sender{{.family = family, .protocol = kProtocolUdp}};
    std::vector<Packet> packets = {sender.next(500), sender.next(500)};
    size_t at = (family == Family::ipv4 ? kIpv4Header : kIpv6Header) + kUdpChecksumAt;
    for (Packet& packet : packets) storeLe16(packet.data() + at, 0);
    Bench bench;
    for (const Packet& packet : packets) bench.add(packet);
    bench.coalescer.flush();
    EXPECT(bench.written.counts == (family == Family::ipv4 ? Counts{2} : Counts{1, 1}));
  }
}

TEST("coalesce: nested tunnels are left alone, and UDP keeps to 63 segments") {
  for (uint16_t port : std::array<uint16_t, 3>{4789, 8472, 6081}) {
    for (Family family : {Family::ipv4, Family::ipv6}) {
      Sender to{{.family = family, .protocol = kProtocolUdp, .destinationPort = port}};
      EXPECT(countsOf({to.next(500), to.next(500)}) == (Counts{1, 1}));
      Sender from{{.family = family, .protocol = kProtocolUdp, .sourcePort = port}};
      EXPECT(countsOf({from.next(500), from.next(500)}) == (Counts{1, 1}));
      Sender tcp{{.family = family, .destinationPort = port}};
      EXPECT(countsOf({tcp.next(500), tcp.next(500)}) == (Counts{2}));
    }
  }
  Sender sender{{.protocol = kProtocolUdp}};
  std::vector<Packet> packets;
  for (int i = 0; i < 100; i++) packets.push_back(sender.next(10));
  EXPECT(countsOf(packets) == (Counts{63, 37}));
}

TEST("coalesce: a super-packet never passes 65,535 bytes") {
  Sender sender{{}};
  std::vector<Packet> packets;
  for (int i = 0; i < 60; i++) packets.push_back(sender.next(1380));
  EXPECT(countsOf(packets) == (Counts{47, 13}));
  Sender large{{.family = Family::ipv6}};
  EXPECT(countsOf({large.next(40000), large.next(25000)}) == (Counts{2}));
  EXPECT(countsOf({large.next(40000), large.next(26000)}) == (Counts{1, 1}));
}

TEST("coalesce: interleaved flows go together each, and none is reordered, forgeries or not") {
  for (int round = 0; round < 300; round++) {
    Bench bench({.tcp = test::random(4) != 0, .udp = test::random(4) != 0});
    std::vector<Sender> senders;
    for (uint16_t i = 0; i < 1 + test::random(12); i++) {
      Fields fields{.sourcePort = i};
      if (test::random(2) == 0) fields.family = Family::ipv6;
      if (test::random(3) == 0) fields.protocol = kProtocolUdp;
      if (test::random(8) == 0) fields.protocol = 1;
      if (test::random(3) == 0) fields.fragment = 0;
      fields.options = Packet(4 * test::random(4), 1);
      senders.push_back({fields});
    }
    std::map<uint64_t, std::vector<Packet>> sent;
    auto keyOf = [](const Packet& packet) -> uint64_t {
      Flow flow = classify(packet.data(), packet.size());
      if (flow.protocol == 0) return uint64_t{innerFamily(packet.data()) == Family::ipv6} << 32;
      return (uint64_t{flow.sourcePort} + 1) | (uint64_t{flow.protocol} << 40);
    };
    size_t segment = 1 + test::random(1400);
    size_t stay = 1 + test::random(6);
    Sender* sender = &senders[0];
    for (int i = 0; i < 150; i++) {
      if (test::random(stay) == 0) sender = &senders[test::random(senders.size())];
      size_t length = test::random(6) == 0 ? test::random(1400) : segment;
      sender->fields.flags = test::random(10) == 0 ? kTcpAck | kTcpPush : kTcpAck;
      if (test::random(40) == 0) sender->fields.flags |= kTcpFin;
      Packet packet = sender->next(length);
      if (test::random(30) == 0) packet.back() = static_cast<uint8_t>(packet.back() + 1);
      sent[keyOf(packet)].push_back(packet);
      bench.add(packet);
      if (test::random(10) == 0) bench.forge(test::random(1500));
      if (test::random(60) == 0) bench.coalescer.flush();
    }
    bench.coalescer.flush();
    std::map<uint64_t, std::vector<Packet>> got;
    for (const Packet& packet : bench.written.packets) got[keyOf(packet)].push_back(packet);
    EXPECT(got == sent);
  }
}

}  // namespace heddle
