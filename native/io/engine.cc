#include "io/engine.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/check.h"
#include "io/clock.h"
#include "io/tun.h"
#include "wire/vxlan.h"
#include "wire/wireguard.h"

namespace heddle {

namespace {

std::string refusalText(const OffloadVerdicts& verdicts, size_t refused) {
  return std::string(kOffloadNames[refused]) + ": " + verdicts[static_cast<Offload>(refused)].why;
}

std::string steeringRemark(int error) {
  return std::string(
             "the kernel moves flows from lane to lane, where packets may overtake each "
             "other: it refuses bpf(2) or TUNSETSTEERINGEBPF: ") +
         strerrorname_np(error);
}

}  // namespace

std::unique_ptr<Engine> Engine::open(const Options& options, std::function<void()> wake,
                                     Opened& opened) {
  std::unique_ptr<Engine> engine(new Engine(options, std::move(wake)));
  CHECK(options.lanes >= 1 && options.lanes <= kMaxLanes);
  if (options.tun.empty()) {
    engine->openChannel();
    opened.name = "channel";
    opened.port = options.port;
  } else if (!engine->openPorts(opened)) {
    return nullptr;
  }
  for (uint32_t i = 0; i < options.lanes; i++) {
    UdpPort* udp = engine->channelUdp(i);
    if (udp == nullptr) udp = &engine->sockets_->ofLane(i);
    engine->lanes_.push_back(std::make_unique<Lane>(engine->reclaimer_, engine->tables_,
                                                    engine->events_, *engine->tuns_[i], *udp,
                                                    CoalesceOptions{}, i));
  }
  engine->applyOffloads(engine->verdicts_);
  if (options.threads) {
    for (const auto& lane : engine->lanes_) lane->start();
  }
  return engine;
}

void Engine::openChannel() {
  for (size_t i = 0; i < kOffloadCount; i++) {
    auto offload = static_cast<Offload>(i);
    verdicts_[offload] = judgeOffload(options_.offloads[offload], SelfTest{});
  }
  for (uint32_t i = 0; i < options_.lanes; i++) {
    auto tun = std::make_unique<ChannelTun>(verdicts_[Offload::tunTcp].isOn);
    channelTuns_.push_back(tun.get());
    tuns_.push_back(std::move(tun));
    channelUdps_.push_back(std::make_unique<ChannelUdp>());
  }
}

bool Engine::openPorts(Opened& opened) {
  TunQueues tun = openTunQueues(options_.tun, options_.lanes);
  if (tun.error != 0) {
    opened.step = "tun";
    opened.error = tun.error;
    return false;
  }
  size_t refused = kOffloadCount;
  verdicts_ = judgeOffloads(options_.offloads, tun.queues[0].get(), refused);
  if (refused != kOffloadCount) {
    opened.step = "offload";
    opened.why = refusalText(verdicts_, refused);
    return false;
  }
  sockets_ = std::make_unique<UdpSockets>();
  UdpSockets::Opened udp =
      sockets_->open(options_.port, verdicts_[Offload::udpGro].isOn, options_.lanes);
  if (udp.error != 0) {
    opened.step = "udp";
    opened.error = udp.error;
    return false;
  }
  opened.name = tunName_ = tun.name;
  opened.port = udp.port;
  opened.remarks = std::move(udp.remarks);
  if (!Keypair::isMemoryLocked()) {
    opened.remarks.push_back("session keys may be swapped to disk: raise RLIMIT_MEMLOCK");
  }
  if (tun.steeringError != 0) opened.remarks.push_back(steeringRemark(tun.steeringError));
  useQueues(std::move(tun.queues));
  return true;
}

void Engine::useQueues(std::vector<Fd> queues) {
  tuns_.clear();
  for (Fd& fd : queues) tuns_.push_back(std::make_unique<TunDevice>(std::move(fd)));
}

Engine::~Engine() { stop(); }

void Engine::stop() {
  for (const auto& lane : lanes_) lane->askToStop();
  for (const auto& lane : lanes_) lane->stop();
  tuns_.clear();
  sockets_.reset();
  channelTuns_.clear();
  channelUdps_.clear();
}

void Engine::command(const LaneCommand& command) {
  for (const auto& lane : lanes_) lane->command(command);
}

void Engine::removePeer(uint32_t peer) {
  tables_.removePeer(peer);
  command({.kind = LaneCommand::Kind::forget, .peer = peer});
  collect();
}

void Engine::flushStaged(uint32_t peer, bool orKeepalive) {
  for (size_t i = 0; i < lanes_.size(); i++) {
    lanes_[i]->command({.kind = LaneCommand::Kind::flushStaged,
                        .peer = peer,
                        .orKeepalive = orKeepalive && i == 0});
  }
}

void Engine::dropStaged(uint32_t peer) {
  tables_.rearmStaged(peer);
  command({.kind = LaneCommand::Kind::dropStaged, .peer = peer});
}

void Engine::sendKeepalive(uint32_t peer) {
  lanes_[0]->command({.kind = LaneCommand::Kind::sendKeepalive, .peer = peer});
}

void Engine::sendControl(uint32_t peer, uint32_t localIndex, std::span<const uint8_t> message) {
  const Keypair* keypair = tables_.sessions().find(localIndex);
  if (keypair == nullptr) return;
  size_t lane = keypair->isHeddle ? keypair->lane % lanes_.size() : 0;
  bool isTaken = lanes_[lane]->command({.kind = LaneCommand::Kind::sendControl,
                                        .peer = peer,
                                        .localIndex = localIndex,
                                        .message = {message.begin(), message.end()}});
  if (!isTaken) controlCounters_.drop(Drop::controlOverflow);
}

void Engine::readActivity(uint32_t peer) {
  Activity activity;
  if (tables_.readActivity(peer, activity)) events_.activity(peer, activity);
}

int Engine::sendHandshake(const Endpoint& to, std::span<const uint8_t> message) {
  CHECK(sockets_ != nullptr || isChannel());
  std::array<uint8_t, kVxlanHeader + kInitiationLength> framed;
  std::span<const uint8_t> datagram = message;
  if (to.vni != 0) {
    CHECK(message.size() <= kInitiationLength);
    emitVxlan(framed.data(), to.vni);
    std::memcpy(framed.data() + kVxlanHeader, message.data(), message.size());
    datagram = std::span(framed).first(kVxlanHeader + message.size());
  }
  int error = sockets_ != nullptr ? sockets_->ofLane(0).sendHandshake(to, datagram)
                                  : channelUdps_[0]->send(to, datagram, datagram.size(), Via{});
  if (error != 0) controlCounters_.drop(sendDrop(error));
  return error;
}

int Engine::setMark(uint32_t mark) {
  if (sockets_ == nullptr) return 0;
  return whilePaused([&] { return sockets_->setMark(mark); });
}

std::string Engine::setOffloads(const OffloadSwitches& wanted) {
  if (sockets_ == nullptr) return "";
  std::string refusal;
  whilePaused([&] {
    size_t refused = kOffloadCount;
    OffloadVerdicts verdicts = judgeOffloads(wanted, tuns_[0]->descriptor(), refused);
    if (refused != kOffloadCount) {
      refusal = refusalText(verdicts, refused);
    } else {
      verdicts_ = verdicts;
    }
    applyOffloads(verdicts_);
    return 0;
  });
  return refusal;
}

// While no thread walks. What fails here failed its self-test before, or the device is gone.
void Engine::applyOffloads(const OffloadVerdicts& verdicts) {
  for (const auto& lane : lanes_) {
    lane->useOffloads(coalesceOptions(verdicts), verdicts[Offload::udpGso].isOn);
  }
  if (sockets_ == nullptr) return;
  setTunOffloads(tuns_[0]->descriptor(), tunSetting(verdicts));
  bool gro = verdicts[Offload::udpGro].isOn;
  if (gro == sockets_->isGroOn()) return;
  // What was received in one piece is read so.
  drain();
  sockets_->setGro(gro);
}

PerOffload<Engine::OffloadReport> Engine::offloads(Instant now) const {
  PerOffload<OffloadReport> reports;
  for (size_t i = 0; i < kOffloadCount; i++)
    reports[static_cast<Offload>(i)].verdict = verdicts_[static_cast<Offload>(i)];
  std::vector<uint64_t> destinations;
  Instant since = now;
  for (const auto& lane : lanes_) lane->gsoFallback().listOff(now, destinations, since);
  if (!destinations.empty()) {
    std::sort(destinations.begin(), destinations.end());
    auto end = std::unique(destinations.begin(), destinations.end());
    auto count = static_cast<size_t>(end - destinations.begin());
    reports[Offload::udpGso].resting = count;
    reports[Offload::udpGso].since = since;
  }
  const std::pair<Offload, SuperKind> kinds[] = {{Offload::tunTcp, SuperKind::tcp},
                                                 {Offload::tunUdp, SuperKind::udp}};
  for (auto [offload, kind] : kinds) {
    OffloadReport& report = reports[offload];
    for (const auto& lane : lanes_) {
      Instant off = lane->tunWriter().offSince(kind, now);
      if (off == 0) continue;
      report.since = report.resting == 0 ? off : std::min(report.since, off);
      report.resting = 1;
    }
  }
  return reports;
}

SocketBuffers Engine::buffers() const {
  return sockets_ != nullptr ? sockets_->buffers() : SocketBuffers{};
}

int Engine::setClearPorts(std::span<const uint32_t> ports) {
  if (sockets_ == nullptr) return 0;
  std::vector<ClearPort> wanted;
  for (uint32_t word : ports) {
    bool isUdp = (word & kUdpPort) != 0;
    wanted.push_back({.port = static_cast<uint16_t>(word & 0xffff),
                      .kind = isUdp ? PortKind::udp : PortKind::vxlan});
  }
  return whilePaused([&] { return sockets_->setClearPorts(wanted); });
}

int Engine::setListenPort(uint16_t port) {
  if (sockets_ == nullptr) return port;
  if (port != 0 && port == sockets_->port()) return port;
  int error = whilePaused([&] { return sockets_->setListenPort(port, [this] { drain(); }); });
  return error != 0 ? error : sockets_->port();
}

bool Engine::hasTun() const { return isChannel() || isTunThere(tuns_[0]->descriptor()); }

int Engine::reopenTun() {
  if (isChannel()) return whilePaused([] { return 0; });
  TunQueues opened = openTunQueues(tunName_, options_.lanes);
  if (opened.error != 0) return -opened.error;
  return whilePaused([&] {
    useQueues(std::move(opened.queues));
    applyOffloads(verdicts_);
    return 0;
  });
}

int Engine::whilePaused(const std::function<int()>& change) {
  for (const auto& lane : lanes_) lane->askToStop();
  for (const auto& lane : lanes_) lane->pause();
  int error = change();
  for (size_t i = 0; i < lanes_.size(); i++) lanes_[i]->resume(*tuns_[i]);
  return error;
}

void Engine::drain() {
  for (const auto& lane : lanes_) lane->drain(bootTime());
}

std::vector<CounterBlock*> Engine::counterBlocks() {
  std::vector<CounterBlock*> blocks;
  for (const auto& lane : lanes_) {
    blocks.push_back(&lane->outboundCounters());
    blocks.push_back(&lane->inboundCounters());
  }
  blocks.push_back(&controlCounters_);
  return blocks;
}

void Engine::pump(uint64_t now) {
  for (const auto& lane : lanes_) lane->pump(now);
  collect();
}

}  // namespace heddle
