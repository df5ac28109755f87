// A lane: one TUN queue, one UDP port, a thread each way. Each thread runs a packet to completion,
// with no queue and no lock between its read and its write; see native/README.md for who owns what.
//
//   outbound thread   tun -> Outbound -> udp   owns the counters and keys of sending, and the
//                                              staged packets
//   inbound thread    udp -> Inbound -> tun    owns the replay windows and the keys of receiving
//
// What JavaScript wants done with a peer's packets it leaves as a command; the outbound thread
// carries it out.
#pragma once

#include <poll.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/fd.h"
#include "datapath/inbound.h"
#include "datapath/outbound.h"
#include "io/ports.h"
#include "io/tun_writer.h"
#include "io/udp_sender.h"

namespace heddle {

struct LaneCommand {
  enum class Kind : uint8_t { flushStaged, dropStaged, sendKeepalive, sendControl, forget } kind;
  uint32_t peer = 0;
  bool orKeepalive = false;
  uint32_t localIndex = 0;         // sendControl: of the keypair
  std::vector<uint8_t> message{};  // sendControl
};

// Control messages that wait for the outbound thread.
inline constexpr size_t kControlCommands = 1024;

// How much drain() walks at most: more than a socket's buffer of 8 MiB may hold.
inline constexpr int kDrained = 1 << 15;

class Lane final : private BatchSender, private PacketWriter, private Answerer {
 public:
  // Lanes of a node are numbered from 0.
  Lane(Reclaimer& reclaimer, const Tables& tables, EventSink& events, TunPort& tun, UdpPort& udp,
       CoalesceOptions coalesce, uint32_t number = 0);
  ~Lane() { stop(); }

  void start();
  // Ends both threads and waits for them.
  void stop() { pause(); }
  // Likewise, but resume() goes on where they were: what is staged stays, the kernel's queues keep
  // what comes. In between, the ports may be changed by the caller's thread. Where no thread was
  // started, nothing happens.
  void pause();
  // What pause() begins with; for several lanes, so that they stop at once.
  void askToStop();
  // `tun` is the device from now on, and taken to be whole again.
  void resume(TunPort& tun);
  // Walks what has been received, at most kDrained receives, on the caller's thread; only while
  // paused.
  void drain(Instant now);
  // Any thread. False when as many control messages wait as may.
  bool command(LaneCommand command);
  // One pass of both threads' work on the caller's thread, at `now`; only when not started.
  void pump(Instant now);

  CounterBlock& outboundCounters() { return outboundCounters_; }
  CounterBlock& inboundCounters() { return inboundCounters_; }

  // How much of a packet's way is done in one call; only while paused.
  void useOffloads(CoalesceOptions coalesce, bool gso);
  // What failed lately and rests.
  const GsoFallback& gsoFallback() const { return sender_.fallback(); }
  const TunWriter& tunWriter() const { return writer_; }

 private:
  void startThreads();
  void outboundLoop();
  void inboundLoop();
  bool readTun(Instant now);
  bool receiveUdp(Instant now);
  void runCommands(Instant now);
  void waitForTun();
  void waitForUdp(bool failing);
  void send(const SendBatch& batch) override;
  void refuse(std::span<const uint8_t> frame) override;
  void answer(const Endpoint& to, std::span<const uint8_t> datagram, const Via& via) override;
  void write(std::span<uint8_t> frame, size_t packets) override;

  const uint32_t number_;
  Reclaimer& reclaimer_;
  TunPort* tun_;
  UdpPort& udp_;
  CounterBlock outboundCounters_;
  CounterBlock inboundCounters_;
  Outbound outbound_;
  Inbound inbound_;
  UdpSender sender_;                     // outbound thread
  TunWriter writer_;                     // inbound thread
  std::unique_ptr<uint8_t[]> frame_;     // the outbound thread's read buffer
  std::unique_ptr<uint8_t[]> received_;  // the inbound thread's
  bool isTunFailing_ = false;            // outbound thread: the last read failed
  bool tunGone_ = false;                 // outbound thread: the device was deleted
  Instant sendingNow_ = 0;               // outbound thread: the time of the packet being sent

  std::mutex commandMutex_;
  std::vector<LaneCommand> commands_;
  size_t controlCommands_ = 0;  // among them
  std::atomic<bool> hasCommands_{false};
  Wakeup outboundWakeup_;
  Wakeup inboundWakeup_;
  std::vector<pollfd> udpWaits_;  // inbound thread
  std::atomic<bool> stopping_{false};
  bool isStarted_ = false;  // JavaScript's thread
  std::thread outboundThread_;
  std::thread inboundThread_;
};

}  // namespace heddle
