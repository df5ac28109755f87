// The native packet path of one node: its tables, its ports, its lane, and the events that go up.
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
#include "io/udp.h"

namespace heddle {

inline constexpr uint32_t kUdpPort = 1 << 16;

class Engine {
 public:
  struct Options {
    std::string tun;      // interface name; empty: the channel backend
    bool offload = true;  // super-packets and checksum offload on both faces
    bool threads = true;  // false: pump() walks on the caller's thread
    uint16_t port = 0;
  };
  struct Opened {
    const char* step = "";  // which part failed
    int error = 0;          // its positive errno
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

  // What only the lane's own threads may do with a peer's keys and packets is asked of them.
  void removePeer(uint32_t peer);
  void flushStaged(uint32_t peer, bool orKeepalive);
  void dropStaged(uint32_t peer);
  void sendKeepalive(uint32_t peer);

  void readActivity(uint32_t peer);
  // Behind a VXLAN header where the endpoint has one.
  int sendHandshake(const Endpoint& to, std::span<const uint8_t> message);
  std::vector<CounterBlock*> counterBlocks();

  // ---- changes of ports: the lane stands still meanwhile; 0 or a negative errno, and then all is
  // as it was ----

  int setMark(uint32_t mark);
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
  ChannelTun* channelTun() { return channelTun_; }
  ChannelUdp* channelUdp() { return channelUdp_; }

 private:
  explicit Engine(const Options& options, std::function<void()> wake)
      : options_(options), events_(std::move(wake)) {}
  // Calls `change` while no thread walks.
  int whilePaused(const std::function<int()>& change);

  const Options options_;

  Reclaimer reclaimer_;
  Tables tables_{reclaimer_};
  EventQueue events_;
  CounterBlock controlCounters_;  // what JavaScript's own thread drops
  std::string tunName_;           // as the kernel gave it
  std::unique_ptr<TunPort> tun_;
  std::unique_ptr<UdpPort> udp_;
  UdpSockets* sockets_ = nullptr;  // udp_ when it is the kernel's
  ChannelTun* channelTun_ = nullptr;
  ChannelUdp* channelUdp_ = nullptr;
  std::unique_ptr<Lane> lane_;
};

}  // namespace heddle
