#include "bench/node_pair.h"

#include <algorithm>
#include <chrono>
#include <random>

#include "base/check.h"
#include "wire/ipv4.h"
#include "wire/tcp.h"
#include "wire/udp.h"

namespace heddle::bench {

namespace {

constexpr Instant kNow = 1'000'000;
// Packets that are sent before they are received: what one GSO send of small packets holds. More
// would leave the fast caches in between.
constexpr size_t kInFlight = 63;
constexpr size_t kWireBytes = 2 << 20;
constexpr size_t kFrameBytes = 1 << 17;
constexpr uint16_t kVxlanPort = 4789;
constexpr uint32_t kVni = 7;
const Mac kMac{0x02, 0, 0x5e, 0, 0x53, 1};

using Clock = std::chrono::steady_clock;

double nanosecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

Endpoint endpointOf(uint32_t slot, bool isClear) {
  Endpoint endpoint;
  endpoint.family = 4;
  endpoint.port = isClear ? kVxlanPort : 51820;
  storeBe32(endpoint.address.data(), 0xc6120000u + slot);  // 198.18.0.0/15 (RFC 2544)
  return endpoint;
}

// Multiples of 16, as base keypairs have, in no order.
uint32_t indexOf(uint32_t slot) { return ((slot + 1) * 2654435761u) << 4; }

Encapsulation clearEncapsulation(uint32_t slot) {
  return {.kind = EncapsulationKind::vxlan,
          .vni = kVni,
          .endpoint = endpointOf(slot, true),
          .mac = kMac};
}

}  // namespace

void NodePair::Wire::send(const SendBatch& batch) {
  CHECK(used + batch.bytes.size() <= bytes.size());
  std::memcpy(bytes.data() + used, batch.bytes.data(), batch.bytes.size());
  batches.push_back({used, batch.bytes.size(), batch.segment, batch.to, batch.via.kind});
  used += batch.bytes.size();
}

void NodePair::Host::write(std::span<uint8_t> frame, size_t count) {
  CHECK(frame.size() <= buffer.size());
  std::memcpy(buffer.data(), frame.data(), frame.size());
  packets += count;
}

// UDP packets are written one by one, as to a kernel that takes no super-packets of them.
NodePair::Node::Node(Wire& wire, Host& host)
    : outbound(tables, events, wire, counters),
      inbound(tables, events, host, wire, counters, {.tcp = true, .udp = false}) {}

NodePair::NodePair(const PairTables& tables)
    : options_(tables), near_(wire_, host_), far_(wire_, host_) {
  CHECK(tables.peers >= 1 && tables.prefixes >= tables.peers);
  wire_.bytes.resize(kWireBytes);
  wire_.batches.reserve(kInFlight + 1);
  host_.buffer.resize(kFrameBytes);
  buffer_.resize(kHeadroom + kFrameBytes + kTailroom);
  addPeers();
  addPrefixes();
}

void NodePair::addPeers() {
  for (Node* node : {&near_, &far_}) node->tables.setVtepMac(kMac);
  for (uint32_t slot = 0; slot < options_.peers; slot++) addPeer(slot);
}

// Everybody's private keys are the same: the walk does not compare them.
void NodePair::addPeer(uint32_t slot) {
  for (Node* node : {&near_, &far_}) {
    CHECK(node->tables.addPeer(slot));
    if (options_.isClear) {
      CHECK(node->tables.setEncapsulation(slot, clearEncapsulation(slot)));
      continue;
    }
    CHECK(node->tables.setEndpoint(slot, endpointOf(slot, false)));
    KeypairMaterial material;
    material.localIndex = indexOf(slot);
    material.remoteIndex = indexOf(slot);
    material.createdAt = kNow;
    material.isInitiator = node == &near_;
    if (options_.isHeddle) {
      material.localIndex |= kLaneMark;
      material.remoteIndex |= kLaneMark;
      material.takesControl = true;
      material.suite = Suite::aes256Gcm;
      material.lane = 0;
      material.trustsChecksums = true;
    }
    CHECK(node->tables.installKeypair(slot, material));
    CHECK(node->tables.useKeypair(slot, material.localIndex));
  }
}

void NodePair::addPrefixes() {
  std::vector<Route> routes;
  for (uint32_t i = 0; i < options_.prefixes; i++) {
    uint32_t length = 22 + i % 11;
    uint32_t address = (i * 2654435761u) << 10;  // a /22 of its own
    uint8_t bytes[4];
    storeBe32(bytes, address);
    uint32_t slot = i % options_.peers;
    for (Node* node : {&near_, &far_}) CHECK(node->tables.insertPrefix(bytes, length, slot));
    routes.push_back({address, address | (length < 32 ? 1u : 0u)});
  }
  for (Node* node : {&near_, &far_}) node->tables.publishRoutes();
  std::ranges::shuffle(routes, std::mt19937(1));  // the same in every run
  routes_ = std::move(routes);
}

void NodePair::makeFrame(const PairTraffic& traffic) {
  CHECK(traffic.packetBytes >= kIpv4Header + kTcpHeader && traffic.packetsAtOnce >= 1);
  bool isSuper = traffic.packetsAtOnce > 1;
  size_t headers = kIpv4Header + (isSuper ? kTcpHeader : kUdpHeader);
  size_t payload = (traffic.packetBytes - headers) * traffic.packetsAtOnce;
  size_t length = headers + payload;
  CHECK(length <= 0xffff);
  frame_.assign(kVirtioNetHeader + length, 0);
  VirtioNetHeader header{.flags = kVirtioNeedsChecksum, .checksumStart = kIpv4Header};
  header.checksumOffset = isSuper ? kTcpChecksumAt : kUdpChecksumAt;
  if (isSuper) {
    header.gsoType = kVirtioGsoTcp4;
    header.headerLength = static_cast<uint16_t>(headers);
    header.gsoSize = static_cast<uint16_t>(traffic.packetBytes - headers);
  }
  emitVirtioNet(header, frame_.data());
  uint8_t* ip = frame_.data() + kVirtioNetHeader;
  ip[0] = 0x45;
  setIpv4TotalLength(ip, static_cast<uint16_t>(length));
  storeBe16(ip + 6, kIpv4DontFragment);
  ip[8] = 64;
  ip[9] = isSuper ? kProtocolTcp : kProtocolUdp;
  uint8_t* transport = ip + kIpv4Header;
  storeBe16(transport, 40000);
  storeBe16(transport + 2, 40001);
  if (isSuper) {
    transport[12] = kTcpHeader / 4 << 4;
    transport[13] = kTcpAck;
  } else {
    setUdpLength(transport, static_cast<uint16_t>(kUdpHeader + payload));
  }
  for (size_t i = 0; i < payload; i++) ip[headers + i] = static_cast<uint8_t>(i * 31);
}

PairCost NodePair::carry(const PairTraffic& traffic, size_t packets) {
  makeFrame(traffic);
  PairCost total;
  size_t frames = std::max<size_t>(1, kInFlight / traffic.packetsAtOnce);
  size_t carried = 0;
  uint64_t before = host_.packets;
  while (carried < packets) {
    auto start = Clock::now();
    for (size_t i = 0; i < frames; i++) sendOne(traffic.isSpread);
    near_.outbound.flush();
    total.out += nanosecondsSince(start);
    start = Clock::now();
    receiveAll();
    total.in += nanosecondsSince(start);
    carried += frames * traffic.packetsAtOnce;
  }
  CHECK(host_.packets - before == carried);
  return {total.out / static_cast<double>(carried), total.in / static_cast<double>(carried)};
}

// One read of the TUN. A checksum that is left to us stays that of the last address: nobody here
// checks it, and where packets are joined, cutting sets it right.
void NodePair::sendOne(bool isSpread) {
  uint8_t* at = buffer_.data() + kHeadroom;
  std::memcpy(at, frame_.data(), frame_.size());
  const Route& route = routes_[isSpread ? nextRoute_ : 0];
  nextRoute_ = nextRoute_ + 1 == routes_.size() ? 0 : nextRoute_ + 1;
  storeBe32(at + kVirtioNetHeader + 12, route.source);
  storeBe32(at + kVirtioNetHeader + 16, route.destination);
  near_.outbound.frame({at, frame_.size()}, kNow);
}

void NodePair::receiveAll() {
  for (const Wire::Batch& batch : wire_.batches) {
    Arrival arrival{.kind = batch.kind};
    if (batch.kind == PortKind::vxlan) arrival.port = kVxlanPort;
    size_t end = batch.at + batch.length;
    for (size_t at = batch.at; at < end; at += batch.segment) {
      std::span<uint8_t> datagram{wire_.bytes.data() + at, std::min(batch.segment, end - at)};
      far_.inbound.datagram(datagram, batch.to, arrival, kNow);
    }
    far_.inbound.flush();
  }
  wire_.batches.clear();
  wire_.used = 0;
}

}  // namespace heddle::bench
