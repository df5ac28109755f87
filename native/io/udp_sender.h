// Sends the batches of a lane's outbound thread: each in one call (UDP GSO) where the destination
// takes it, and else one by one. What the kernel refuses as a whole is sent singly at once, so that
// nothing is lost to an offload that fails.
#pragma once

#include "datapath/counters.h"
#include "datapath/outbound.h"
#include "datapath/tables.h"
#include "io/gso_fallback.h"
#include "io/ports.h"

namespace heddle {

class UdpSender {
 public:
  UdpSender(const Tables& tables, CounterBlock& counters) : tables_(tables), counters_(counters) {}

  void send(UdpPort& port, const SendBatch& batch, Instant now);
  // From here on several datagrams a call, or one. Only while the lane stands still.
  void useGso(bool isOn) { isGsoOn_ = isOn; }
  const GsoFallback& fallback() const { return fallback_; }

 private:
  bool sendSingly(UdpPort& port, const SendBatch& batch);
  int sendOne(UdpPort& port, const SendBatch& batch, size_t at, int& retries);
  void countFailed(uint32_t peer, int error, size_t packets);

  const Tables& tables_;
  CounterBlock& counters_;
  GsoFallback fallback_;
  bool isGsoOn_ = true;
};

}  // namespace heddle
