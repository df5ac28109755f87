// Puts opened packets of one TCP or UDP flow together into a super-packet, so that many cost one
// TUN write. Cutting the super-packet again gives the same packets. A packet is opened straight
// behind the flow that the last one belonged to, its header over that flow's last bytes, which are
// saved: where the guess holds, nothing is copied.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/address.h"
#include "datapath/classify.h"
#include "datapath/counters.h"
#include "wire/virtio_net.h"

namespace heddle {

// Takes finished packets: a virtio-net header of kVirtioNetHeader bytes and the packet behind it.
// Counts its own failures.
class PacketWriter {
 public:
  virtual ~PacketWriter() = default;
  // `packets` is how many inner packets it amounts to.
  virtual void write(std::span<uint8_t> frame, size_t packets) = 0;
};

struct CoalesceOptions {
  bool tcp = true;
  bool udp = true;  // only where the kernel takes UDP_L4 writes (6.2)
};

class Coalescer {
 public:
  Coalescer(PacketWriter& writer, CounterBlock& counters, CoalesceOptions options);

  // What may be put together from here on; only where nothing is open.
  void use(CoalesceOptions options) { options_ = options; }
  // Where to open the next packet, which may be up to `length` bytes long; `bytes` there may be
  // written. Every place() is followed by cancel() or add().
  uint8_t* place(size_t length);
  // Nothing of use was opened.
  void cancel();
  // A checked IPv4 or IPv6 packet of `length` bytes lies at place(). `isPartial`: TCP or UDP (it
  // has a flow) whose checksum is left to the kernel.
  void add(size_t length, bool isPartial = false);
  // Likewise, classified already.
  void add(const Flow& flow, size_t length, bool isPartial);
  // Writes everything that is still open, the oldest first.
  void flush();

 private:
  static constexpr size_t kSlots = 8;
  static constexpr size_t kMaxHeader = 128;

  // A packet being put together. `count` 0: free.
  struct Slot {
    std::unique_ptr<uint8_t[]> buffer;
    Flow flow;
    size_t length = 0;
    size_t count = 0;
    size_t segment = 0;      // payload bytes of the first packet
    uint64_t order = 0;      // of opening
    bool isChecked = false;  // the first packet's checksum is known to be right
    bool isPartial = false;  // the packets' transport checksums are left to the kernel
    uint8_t* packet() const { return buffer.get() + kFront; }
  };
  static constexpr size_t kFront = 64;  // the virtio-net header's room, and alignment

  bool wants(const Flow& flow, const uint8_t* packet, size_t length) const;
  Slot* find(const Flow& flow);
  Slot& freeSlot();
  // Of those open that are chosen; null when there is none.
  template <typename Chosen>
  Slot* oldestSlot(Chosen chosen);
  bool follows(Slot& slot, const Flow& flow, const uint8_t* packet, size_t length, bool isPartial);
  bool isChecked(Slot& slot);
  const uint8_t* placed() const;
  void append(Slot& slot, const uint8_t* packet, size_t length);
  void start(Slot& slot, const Flow& flow, size_t length, bool isPartial);
  void makeRoom();
  void release(const Flow& flow);
  void write(Slot& slot);
  void finish(Slot& slot, VirtioNetHeader& header);
  static VirtioNetHeader leaveChecksum(const Slot& slot);

  PacketWriter& writer_;
  CounterBlock& counters_;
  CoalesceOptions options_;
  std::array<Slot, kSlots> slots_;
  Slot* last_ = nullptr;   // the flow that the last packet went to
  Slot* place_ = nullptr;  // where the next packet is being opened
  size_t overlaid_ = 0;    // bytes of place_ that the packet's header lies over; 0: place_ is free
  std::array<uint8_t, kMaxHeader> saved_{};
  uint64_t order_ = 0;
};

}  // namespace heddle
