#include "io/udp_sender.h"

#include <algorithm>
#include <cerrno>

namespace heddle {

namespace {

// Sends of a batch that are tried again where the kernel is short of memory, before the rest of it
// is dropped.
constexpr int kRetries = 8;

// The kernel or the driver cannot segment this send, though it may send the same bytes one by one:
// EIO from a device without checksum offload, EINVAL from older IPv6 paths, EMSGSIZE where a
// segment exceeds the route's MTU.
bool gsoMayBeAtFault(int error) { return error == -EIO || error == -EINVAL || error == -EMSGSIZE; }

// What a smaller send may still get. EAGAIN, the end of a wait for the socket's buffer, is not.
bool isShortOfMemory(int error) { return error == -ENOBUFS || error == -ENOMEM; }

}  // namespace

void UdpSender::send(UdpPort& port, const SendBatch& batch, Instant now) {
  if (batch.count == 1 || !isGsoOn_ || fallback_.isOff(batch.to, now)) {
    sendSingly(port, batch);
    return;
  }
  counters_.add(Counter::udpSends, 1);
  int error = port.send(batch.to, batch.bytes, batch.segment, batch.via);
  if (error == 0) {
    counters_.add(Counter::udpGsoSegments, batch.count);
  } else if (gsoMayBeAtFault(error)) {
    // What is refused alone, too, says nothing of GSO: a VXLAN frame that is too big.
    if (!sendSingly(port, batch)) return;
    fallback_.turnOff(batch.to, now);
    counters_.add(Counter::udpGsoFallback, 1);
  } else if (isShortOfMemory(error)) {
    sendSingly(port, batch);
  } else {
    countFailed(batch.peer, error, batch.count);
  }
}

// Whether the first got through, which is as long as any. One that fails does not keep those behind
// it, but where the socket takes nothing more the rest is dropped: each wait is a tenth of a
// second.
bool UdpSender::sendSingly(UdpPort& port, const SendBatch& batch) {
  int retries = kRetries;
  bool isFirstSent = false;
  size_t index = 0;
  for (size_t at = 0; at < batch.bytes.size(); at += batch.segment, index++) {
    int error = sendOne(port, batch, at, retries);
    if (at == 0) isFirstSent = error == 0;
    if (error == 0) continue;
    bool isFull = error == -EAGAIN || isShortOfMemory(error);
    countFailed(batch.peer, error, isFull ? batch.count - index : 1);
    if (isFull) break;
  }
  return isFirstSent;
}

int UdpSender::sendOne(UdpPort& port, const SendBatch& batch, size_t at, int& retries) {
  size_t length = std::min(batch.segment, batch.bytes.size() - at);
  while (true) {
    counters_.add(Counter::udpSends, 1);
    int error = port.send(batch.to, batch.bytes.subspan(at, length), length, batch.via);
    if (!isShortOfMemory(error) || retries == 0) return error;
    retries--;
  }
}

void UdpSender::countFailed(uint32_t peer, int error, size_t packets) {
  Drop reason = sendDrop(error);
  for (size_t i = 0; i < packets; i++) counters_.drop(reason);
  PeerEntry* entry = tables_.peer(peer);
  if (entry != nullptr) entry->sent.drop(reason, packets);
}

}  // namespace heddle
