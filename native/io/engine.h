// The native packet path of one node: its tables, its ports, its lanes, and the events that go up.
// All methods are called on the JavaScript thread, which is the only writer of the tables.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/reclaim.h"
#include "datapath/tables.h"
#include "io/channel.h"
#include "io/event_queue.h"
#include "io/lane.h"
#include "io/offloads.h"
#include "io/udp.h"

namespace heddle {

inline constexpr uint32_t kUdpPort = 1 << 16;

class Engine {
 public:
  struct Options {
    std::string tun;  // interface name; empty: the channel backend
    OffloadSwitches offloads{};
    bool threads = true;  // false: pump() walks on the caller's thread
    uint16_t port = 0;
    uint32_t lanes = 1;  // at most kMaxLanes
  };
  struct Opened {
    const char* step = "";  // which part failed
    int error = 0;          // its positive errno
    std::string why;        // where an offload failed that is wanted
    std::string name;
    uint16_t port = 0;
    std::vector<std::string> remarks;
  };

  // Undefined engine (nullptr) when a part could not be opened; `opened` says which and why. `wake`
  // is called on any thread.
  static std::unique_ptr<Engine> open(const Options& options, std::function<void()> wake,
                                      Opened& opened);
  ~Engine();

  // Ends the threads and closes the ports. Nothing but reading counters is allowed after it.
  void stop();

  Tables& tables() { return tables_; }
  EventQueue& events() { return events_; }

  size_t lanes() const { return lanes_.size(); }

  // What only a lane's own threads may do with a peer's keys and packets is asked of them: of all
  // lanes what is about staged packets, which each may have; of the first what is sent for the
  // session as such.
  void removePeer(uint32_t peer);
  void flushStaged(uint32_t peer, bool orKeepalive);
  void dropStaged(uint32_t peer);
  void sendKeepalive(uint32_t peer);
  // By the lane of the keypair with this local index.
  void sendControl(uint32_t peer, uint32_t localIndex, std::span<const uint8_t> message);

  void readActivity(uint32_t peer);
  // Behind a VXLAN header where the endpoint has one.
  int sendHandshake(const Endpoint& to, std::span<const uint8_t> message);
  std::vector<CounterBlock*> counterBlocks();

  // An offload, what was made of it, and where it failed lately and rests.
  struct OffloadReport {
    OffloadVerdict verdict;
    size_t resting = 0;  // destinations of udpGso; 1 where none of a tun offload's kind is made
    Instant since = 0;   // the first of them
  };
  PerOffload<OffloadReport> offloads(Instant now) const;
  // Zeros with the channel backend.
  SocketBuffers buffers() const;

  // ---- changes of ports: the lanes stand still meanwhile; 0 or a negative errno, and then all is
  // as it was ----

  int setMark(uint32_t mark);
  // Tests and judges them again. Where one fails that is switched on: which and why, and all is as
  // it was; else an empty text.
  std::string setOffloads(const OffloadSwitches& wanted);
  // Each word is a port, with kUdpPort set where it carries bare IP packets.
  int setClearPorts(std::span<const uint32_t> ports);
  // The new port, or a negative errno. What the old one has received is walked first.
  int setListenPort(uint16_t port);
  // False once it was deleted; another namespace is no matter.
  bool hasTun() const;
  // Makes the TUN device again, under its name and with its options.
  int reopenTun();

  // Frees what no thread reads any more; keys are wiped then.
  void collect() { reclaimer_.collect(); }

  // Walks everything that waits, once, at `now`; only without threads.
  void pump(uint64_t now);
  // The channel backend's ends; nullptr with real ports.
  ChannelTun* channelTun(size_t lane = 0) { return isChannel() ? channelTuns_[lane] : nullptr; }
  ChannelUdp* channelUdp(size_t lane = 0) {
    return isChannel() ? channelUdps_[lane].get() : nullptr;
  }

 private:
  explicit Engine(const Options& options, std::function<void()> wake)
      : options_(options), events_(std::move(wake)) {}
  void openChannel();
  bool openPorts(Opened& opened);
  bool isChannel() const { return !channelUdps_.empty(); }
  // Both with real ports; takes over the queues.
  void useQueues(std::vector<Fd> queues);
  void command(const LaneCommand& command);
  // Calls `change` while no thread walks.
  int whilePaused(const std::function<int()>& change);
  void drain();

  void applyOffloads(const OffloadVerdicts& verdicts);

  const Options options_;
  OffloadVerdicts verdicts_;

  Reclaimer reclaimer_;
  Tables tables_{reclaimer_, options_.lanes};
  EventQueue events_;
  CounterBlock controlCounters_;                // what JavaScript's own thread drops
  std::string tunName_;                         // as the kernel gave it
  std::vector<std::unique_ptr<TunPort>> tuns_;  // a queue each lane
  std::unique_ptr<UdpSockets> sockets_;         // of all lanes; null with the channel backend
  std::vector<ChannelTun*> channelTuns_;        // tuns_ with the channel backend
  std::vector<std::unique_ptr<ChannelUdp>> channelUdps_;
  std::vector<std::unique_ptr<Lane>> lanes_;
};

}  // namespace heddle
