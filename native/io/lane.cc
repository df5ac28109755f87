#include "io/lane.h"

#include <pthread.h>

#include <cerrno>
#include <cstring>

#include "datapath/segment.h"
#include "io/clock.h"

namespace heddle {

namespace {

constexpr size_t kFrameBytes = kVirtioNetHeader + 65535;
constexpr size_t kReceiveRoom = 64;      // before and behind a received datagram
constexpr size_t kReceiveBytes = 65536;  // what one UDP_GRO receive may hold
constexpr int kFramesPerTurn = 64;       // TUN reads before commands and quiescence get their turn
constexpr int kReceivesPerTurn = 32;     // UDP receives likewise
constexpr int kFailurePauseMilliseconds = 10;
constexpr Duration kGsoRetry = seconds(60);

// The kernel or the driver cannot segment this send, though it may send the same bytes one by one:
// EIO from a device without checksum offload, EINVAL from older IPv6 paths, EMSGSIZE where a
// segment exceeds the route's MTU.
bool gsoIsAtFault(int negativeErrno) {
  return negativeErrno == -EIO || negativeErrno == -EINVAL || negativeErrno == -EMSGSIZE;
}

}  // namespace

Lane::Lane(Reclaimer& reclaimer, const Tables& tables, EventSink& events, TunPort& tun,
           UdpPort& udp, CoalesceOptions coalesce)
    : reclaimer_(reclaimer),
      tables_(tables),
      tun_(&tun),
      udp_(udp),
      outbound_(tables, events, *this, outboundCounters_),
      inbound_(tables, events, *this, *this, inboundCounters_, coalesce),
      frame_(new uint8_t[kHeadroom + kFrameBytes + kTailroom]),
      received_(new uint8_t[kReceiveRoom + kReceiveBytes + kReceiveRoom]) {}

void Lane::start() {
  isStarted_ = true;
  startThreads();
}

void Lane::pause() {
  stopping_.store(true, std::memory_order_release);
  outboundWakeup_.signal();
  inboundWakeup_.signal();
  if (outboundThread_.joinable()) outboundThread_.join();
  if (inboundThread_.joinable()) inboundThread_.join();
}

void Lane::resume(TunPort& tun) {
  tun_ = &tun;
  tunGone_ = false;
  isTunFailing_ = false;
  if (isStarted_) startThreads();
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
  pthread_setname_np(outboundThread_.native_handle(), "heddle-out-0");
  pthread_setname_np(inboundThread_.native_handle(), "heddle-in-0");
}

void Lane::command(const LaneCommand& command) {
  {
    std::lock_guard lock(commandMutex_);
    commands_.push_back(command);
    hasCommands_.store(true, std::memory_order_release);
  }
  outboundWakeup_.signal();
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

void Lane::send(const SendBatch& batch) {
  if (batch.count > 1 && sendingNow_ < gsoRetryAt_) {
    sendSingly(batch);
    return;
  }
  outboundCounters_.add(Counter::udpSends, 1);
  int error = udp_.send(batch.to, batch.bytes, batch.segment, batch.via);
  if (error == 0) {
    if (batch.count > 1) outboundCounters_.add(Counter::udpGsoSegments, batch.count);
    return;
  }
  if (batch.count > 1 && gsoIsAtFault(error)) {
    // A VXLAN frame that is too big is too big alone, too, which says nothing of others.
    bool isVxlan = batch.via.kind == PortKind::vxlan || batch.to.vni != 0;
    bool isTooBig = error == -EMSGSIZE && isVxlan;
    if (!isTooBig) {
      gsoRetryAt_ = sendingNow_ + kGsoRetry;
      outboundCounters_.add(Counter::udpGsoFallback, 1);
    }
    sendSingly(batch);
    return;
  }
  countFailedSend(batch.peer, error, batch.count);
}

void Lane::refuse(std::span<const uint8_t> frame) {
  outboundCounters_.add(Counter::tunWrites, 1);
  if (tun_->write(frame) != 0) outboundCounters_.drop(Drop::tunWrite);
}

void Lane::answer(const Endpoint& to, std::span<const uint8_t> datagram, const Via& via) {
  int error = udp_.send(to, datagram, datagram.size(), via);
  if (error != 0) inboundCounters_.drop(sendDrop(error));
}

void Lane::sendSingly(const SendBatch& batch) {
  for (size_t at = 0; at < batch.bytes.size(); at += batch.segment) {
    size_t length = std::min(batch.segment, batch.bytes.size() - at);
    outboundCounters_.add(Counter::udpSends, 1);
    int error = udp_.send(batch.to, batch.bytes.subspan(at, length), length, batch.via);
    if (error != 0) countFailedSend(batch.peer, error, 1);
  }
}

void Lane::countFailedSend(uint32_t peer, int error, size_t packets) {
  Drop reason = sendDrop(error);
  for (size_t i = 0; i < packets; i++) outboundCounters_.drop(reason);
  PeerEntry* entry = tables_.peer(peer);
  if (entry != nullptr) entry->sent.drop(reason, packets);
}

void Lane::write(std::span<uint8_t> frame, size_t packets) {
  inboundCounters_.add(Counter::tunWrites, 1);
  int error = tun_->write(frame);
  if (error == 0) return;
  if (error == -EINVAL && packets > 1) {
    writeSingly(frame, packets);
  } else {
    dropUnwritten(packets);
  }
}

// Some kernels refuse super-packets that others take (Linux 6.1.103, 6.6.44, 6.10.3).
void Lane::writeSingly(std::span<uint8_t> frame, size_t packets) {
  inboundCounters_.add(Counter::tunGsoFallback, 1);
  Segmenter segmenter;
  std::span<uint8_t> inner = frame.subspan(kVirtioNetHeader);
  if (!segmenter.begin(parseVirtioNet(frame.data()), inner)) return dropUnwritten(packets);
  for (auto packet = segmenter.next(); !packet.empty(); packet = segmenter.next()) {
    // The virtio-net header of the first, or the slice before, which is written already.
    std::span<uint8_t> single(packet.data() - kVirtioNetHeader, kVirtioNetHeader + packet.size());
    std::memset(single.data(), 0, kVirtioNetHeader);
    inboundCounters_.add(Counter::tunWrites, 1);
    if (tun_->write(single) != 0) dropUnwritten(1);
  }
}

void Lane::dropUnwritten(size_t packets) {
  for (size_t i = 0; i < packets; i++) inboundCounters_.drop(Drop::tunWrite);
}

}  // namespace heddle
