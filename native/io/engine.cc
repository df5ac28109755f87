#include "io/engine.h"

#include <array>
#include <cstring>

#include "base/check.h"
#include "io/clock.h"
#include "io/tun.h"
#include "wire/vxlan.h"
#include "wire/wireguard.h"

namespace heddle {

std::unique_ptr<Engine> Engine::open(const Options& options, std::function<void()> wake,
                                     Opened& opened) {
  std::unique_ptr<Engine> engine(new Engine(options, std::move(wake)));
  CoalesceOptions coalesce{.tcp = options.offload, .udp = options.offload};
  if (options.tun.empty()) {
    auto tun = std::make_unique<ChannelTun>(options.offload);
    auto udp = std::make_unique<ChannelUdp>();
    engine->channelTun_ = tun.get();
    engine->channelUdp_ = udp.get();
    engine->tun_ = std::move(tun);
    engine->udp_ = std::move(udp);
    opened.name = "channel";
    opened.port = options.port;
  } else {
    TunOpened tun = openTun(options.tun, {.offload = options.offload});
    if (!tun.fd.valid()) {
      opened.step = "tun";
      opened.error = tun.error;
      return nullptr;
    }
    coalesce = {.tcp = tun.tcpOffload, .udp = tun.udpOffload};
    auto sockets = std::make_unique<UdpSockets>();
    UdpSockets::Opened udp = sockets->open(options.port, options.offload);
    if (udp.error != 0) {
      opened.step = "udp";
      opened.error = udp.error;
      return nullptr;
    }
    opened.name = tun.name;
    engine->tunName_ = tun.name;
    opened.port = udp.port;
    opened.remarks = std::move(udp.remarks);
    if (!Keypair::isMemoryLocked()) {
      opened.remarks.push_back("session keys may be swapped to disk: raise RLIMIT_MEMLOCK");
    }
    engine->sockets_ = sockets.get();
    engine->tun_ = std::make_unique<TunDevice>(std::move(tun.fd));
    engine->udp_ = std::move(sockets);
  }
  engine->lane_ = std::make_unique<Lane>(engine->reclaimer_, engine->tables_, engine->events_,
                                         *engine->tun_, *engine->udp_, coalesce);
  if (options.threads) engine->lane_->start();
  return engine;
}

Engine::~Engine() { stop(); }

void Engine::stop() {
  if (lane_ != nullptr) lane_->stop();
  tun_.reset();
  udp_.reset();
  sockets_ = nullptr;
  channelTun_ = nullptr;
  channelUdp_ = nullptr;
}

void Engine::removePeer(uint32_t peer) {
  tables_.removePeer(peer);
  lane_->command({.kind = LaneCommand::Kind::forget, .peer = peer});
  collect();
}

void Engine::flushStaged(uint32_t peer, bool orKeepalive) {
  lane_->command(
      {.kind = LaneCommand::Kind::flushStaged, .peer = peer, .orKeepalive = orKeepalive});
}

void Engine::dropStaged(uint32_t peer) {
  tables_.rearmStaged(peer);
  lane_->command({.kind = LaneCommand::Kind::dropStaged, .peer = peer});
}

void Engine::sendKeepalive(uint32_t peer) {
  lane_->command({.kind = LaneCommand::Kind::sendKeepalive, .peer = peer});
}

void Engine::readActivity(uint32_t peer) {
  Activity activity;
  if (tables_.readActivity(peer, activity)) events_.activity(peer, activity);
}

int Engine::sendHandshake(const Endpoint& to, std::span<const uint8_t> message) {
  CHECK(udp_ != nullptr);
  std::array<uint8_t, kVxlanHeader + kInitiationLength> framed;
  std::span<const uint8_t> datagram = message;
  if (to.vni != 0) {
    CHECK(message.size() <= kInitiationLength);
    emitVxlan(framed.data(), to.vni);
    std::memcpy(framed.data() + kVxlanHeader, message.data(), message.size());
    datagram = std::span(framed).first(kVxlanHeader + message.size());
  }
  int error = sockets_ != nullptr ? sockets_->sendHandshake(to, datagram)
                                  : udp_->send(to, datagram, datagram.size(), Via{});
  if (error != 0) controlCounters_.drop(sendDrop(error));
  return error;
}

int Engine::setMark(uint32_t mark) {
  if (sockets_ == nullptr) return 0;
  return whilePaused([&] { return sockets_->setMark(mark); });
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
  int error = whilePaused(
      [&] { return sockets_->setListenPort(port, [this] { lane_->drain(bootTime()); }); });
  return error != 0 ? error : sockets_->port();
}

bool Engine::hasTun() const { return channelTun_ != nullptr || isTunThere(tun_->descriptor()); }

int Engine::reopenTun() {
  if (channelTun_ != nullptr) return 0;
  TunOpened opened = openTun(tunName_, {.offload = options_.offload});
  if (!opened.fd.valid()) return -opened.error;
  auto next = std::make_unique<TunDevice>(std::move(opened.fd));
  return whilePaused([&] {
    tun_ = std::move(next);
    return 0;
  });
}

int Engine::whilePaused(const std::function<int()>& change) {
  lane_->pause();
  int error = change();
  lane_->resume(*tun_);
  return error;
}

std::vector<CounterBlock*> Engine::counterBlocks() {
  return {&lane_->outboundCounters(), &lane_->inboundCounters(), &controlCounters_};
}

void Engine::pump(uint64_t now) {
  lane_->pump(now);
  collect();
}

}  // namespace heddle
