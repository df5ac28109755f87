#include "io/lane.h"

#include <pthread.h>

#include <cerrno>
#include <string>

#include "io/clock.h"

namespace heddle {

namespace {

constexpr size_t kFrameBytes = kVirtioNetHeader + 65535;
constexpr size_t kReceiveRoom = 64;      // before and behind a received datagram
constexpr size_t kReceiveBytes = 65536;  // what one UDP_GRO receive may hold
constexpr int kFramesPerTurn = 64;       // TUN reads before commands and quiescence get their turn
constexpr int kReceivesPerTurn = 32;     // UDP receives likewise
constexpr int kFailurePauseMilliseconds = 10;

}  // namespace

Lane::Lane(Reclaimer& reclaimer, const Tables& tables, EventSink& events, TunPort& tun,
           UdpPort& udp, CoalesceOptions coalesce, uint32_t number)
    : number_(number),
      reclaimer_(reclaimer),
      tun_(&tun),
      udp_(udp),
      outbound_(tables, events, *this, outboundCounters_, number),
      inbound_(tables, events, *this, *this, inboundCounters_, coalesce),
      sender_(tables, outboundCounters_),
      writer_(inboundCounters_, coalesce),
      frame_(new uint8_t[kHeadroom + kFrameBytes + kTailroom]),
      received_(new uint8_t[kReceiveRoom + kReceiveBytes + kReceiveRoom]) {}

void Lane::start() {
  isStarted_ = true;
  startThreads();
}

void Lane::askToStop() {
  stopping_.store(true, std::memory_order_release);
  outboundWakeup_.signal();
  inboundWakeup_.signal();
}

void Lane::pause() {
  askToStop();
  if (outboundThread_.joinable()) outboundThread_.join();
  if (inboundThread_.joinable()) inboundThread_.join();
}

void Lane::resume(TunPort& tun) {
  tun_ = &tun;
  tunGone_ = false;
  isTunFailing_ = false;
  if (isStarted_) startThreads();
}

void Lane::useOffloads(CoalesceOptions coalesce, bool gso) {
  writer_.use(coalesce);
  sender_.useGso(gso);
}

void Lane::drain(Instant now) {
  Reclaimer::Reader& reader = reclaimer_.claim();
  reader.online();
  for (int i = 0; i < kDrained && receiveUdp(now); i++) {
  }
  reader.offline();
  reclaimer_.release(reader);
}

void Lane::startThreads() {
  stopping_.store(false, std::memory_order_release);
  outboundThread_ = std::thread([this] { outboundLoop(); });
  inboundThread_ = std::thread([this] { inboundLoop(); });
  std::string number = std::to_string(number_);
  pthread_setname_np(outboundThread_.native_handle(), ("heddle-out-" + number).c_str());
  pthread_setname_np(inboundThread_.native_handle(), ("heddle-in-" + number).c_str());
}

bool Lane::command(LaneCommand command) {
  {
    std::lock_guard lock(commandMutex_);
    if (command.kind == LaneCommand::Kind::sendControl) {
      if (controlCommands_ == kControlCommands) return false;
      controlCommands_++;
    }
    commands_.push_back(std::move(command));
    hasCommands_.store(true, std::memory_order_release);
  }
  outboundWakeup_.signal();
  return true;
}

void Lane::pump(Instant now) {
  Reclaimer::Reader& reader = reclaimer_.claim();
  reader.online();
  runCommands(now);
  while (readTun(now)) {
  }
  outbound_.flush();
  while (receiveUdp(now)) {
  }
  reader.offline();
  reclaimer_.release(reader);
}

void Lane::outboundLoop() {
  Reclaimer::Reader& reader = reclaimer_.claim();
  reader.online();
  while (!stopping_.load(std::memory_order_acquire)) {
    reader.quiescent();
    runCommands(bootTime());
    bool more = true;
    for (int i = 0; more && i < kFramesPerTurn; i++) more = readTun(bootTime());
    if (more) continue;
    outbound_.flush();
    if (hasCommands_.load(std::memory_order_acquire)) continue;
    reader.offline();
    waitForTun();
    reader.online();
  }
  outbound_.flush();
  reader.offline();
  reclaimer_.release(reader);
}

void Lane::inboundLoop() {
  Reclaimer::Reader& reader = reclaimer_.claim();
  reader.online();
  while (!stopping_.load(std::memory_order_acquire)) {
    reader.quiescent();
    bool more = true;
    for (int i = 0; more && i < kReceivesPerTurn; i++) more = receiveUdp(bootTime());
    // A pause after a failure may have taken the wake-up that says to stop.
    if (more || stopping_.load(std::memory_order_acquire)) continue;
    reader.offline();
    waitForUdp(false);
    reader.online();
  }
  reader.offline();
  reclaimer_.release(reader);
}

// False when there is nothing to read now.
bool Lane::readTun(Instant now) {
  if (tunGone_) return false;
  std::span<uint8_t> room(frame_.get() + kHeadroom, kFrameBytes);
  ssize_t length = tun_->read(room);
  if (length == -EBADFD) tunGone_ = true;
  isTunFailing_ = length < 0 && length != -EAGAIN && length != -EINTR;
  if (length <= 0) return false;
  outboundCounters_.add(Counter::tunReads, 1);
  sendingNow_ = now;
  outbound_.frame(room.first(static_cast<size_t>(length)), now);
  return true;
}

// False when there is nothing to receive now.
bool Lane::receiveUdp(Instant now) {
  Received received;
  int error = 0;
  if (!udp_.receive({received_.get() + kReceiveRoom, kReceiveBytes}, received, error)) {
    // An error that stays would turn the loop into a spin: pause, and try again.
    if (error != 0) waitForUdp(true);
    return false;
  }
  inboundCounters_.add(Counter::udpReceives, 1);
  inboundCounters_.counters[static_cast<size_t>(Counter::socketOverflow)].set(udp_.overflows());
  size_t segment = received.segment;
  if (received.bytes.size() > segment && segment > 0) {
    size_t count = (received.bytes.size() + segment - 1) / segment;
    inboundCounters_.add(Counter::udpGroSegments, count);
  }
  inbound_.coalesce(writer_.at(now));
  size_t at = 0;
  do {
    size_t length = std::min(segment, received.bytes.size() - at);
    inbound_.datagram(received.bytes.subspan(at, length), received.source, received.arrival, now);
    at += length;
  } while (at < received.bytes.size());
  inbound_.flush();
  return true;
}

void Lane::runCommands(Instant now) {
  if (!hasCommands_.load(std::memory_order_acquire)) return;
  std::vector<LaneCommand> commands;
  {
    std::lock_guard lock(commandMutex_);
    commands.swap(commands_);
    controlCommands_ = 0;
    hasCommands_.store(false, std::memory_order_release);
  }
  sendingNow_ = now;
  for (const LaneCommand& command : commands) {
    switch (command.kind) {
      case LaneCommand::Kind::flushStaged:
        outbound_.flushStaged(command.peer, command.orKeepalive, now);
        break;
      case LaneCommand::Kind::dropStaged:
        outbound_.dropStaged(command.peer);
        break;
      case LaneCommand::Kind::sendKeepalive:
        outbound_.sendKeepalive(command.peer, now);
        break;
      case LaneCommand::Kind::sendControl:
        outbound_.sendControl(command.peer, command.localIndex, command.message, now);
        break;
      case LaneCommand::Kind::forget:
        outbound_.forget(command.peer);
        break;
    }
  }
}

void Lane::waitForTun() {
  // An error that stays would turn the loop into a spin: pause, and try again. A device that was
  // deleted does not come back.
  bool isReadable = !tunGone_ && !isTunFailing_;
  pollfd waits[2] = {{.fd = outboundWakeup_.descriptor(), .events = POLLIN, .revents = 0},
                     {.fd = isReadable ? tun_->descriptor() : -1, .events = POLLIN, .revents = 0}};
  poll(waits, 2, isTunFailing_ && !tunGone_ ? kFailurePauseMilliseconds : -1);
  if (waits[0].revents != 0) outboundWakeup_.clear();
}

void Lane::waitForUdp(bool failing) {
  udpWaits_.clear();
  udpWaits_.push_back({.fd = inboundWakeup_.descriptor(), .events = POLLIN, .revents = 0});
  if (!failing) {
    for (int fd : udp_.descriptors()) {
      udpWaits_.push_back({.fd = fd, .events = POLLIN, .revents = 0});
    }
  }
  poll(udpWaits_.data(), udpWaits_.size(), failing ? kFailurePauseMilliseconds : -1);
  if (udpWaits_[0].revents != 0) inboundWakeup_.clear();
}

void Lane::send(const SendBatch& batch) { sender_.send(udp_, batch, sendingNow_); }

void Lane::refuse(std::span<const uint8_t> frame) {
  outboundCounters_.add(Counter::tunWrites, 1);
  if (tun_->write(frame) != 0) outboundCounters_.drop(Drop::tunWrite);
}

void Lane::answer(const Endpoint& to, std::span<const uint8_t> datagram, const Via& via) {
  int error = udp_.send(to, datagram, datagram.size(), via);
  if (error != 0) inboundCounters_.drop(sendDrop(error));
}

void Lane::write(std::span<uint8_t> frame, size_t packets) { writer_.write(*tun_, frame, packets); }

}  // namespace heddle
