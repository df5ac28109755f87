// Cuts a TCP or UDP super-packet into the packets it stands for, in place: each segment's header is
// stamped right before its slice of the payload, over the slice before, which must be done with by
// then. Also finishes checksums that the kernel left to us.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/address.h"
#include "wire/checksum.h"
#include "wire/virtio_net.h"

namespace heddle {

class Segmenter {
 public:
  // False when the virtio-net header and the packet contradict each other, or are of a kind that is
  // never asked for.
  bool begin(const VirtioNetHeader& header, std::span<uint8_t> packet);

  // Segments in all, 1 or more, and the length of the longest.
  size_t count() const { return count_; }
  size_t longest() const { return headerLength_ + std::min(segment_, payload_); }
  // The lengths of all segments together.
  size_t bytes() const { return count_ * headerLength_ + payload_; }
  // Transport checksums are left to others: their fields get the pseudo-header's sum alone, as in
  // what the kernel calls partial. Before the first next().
  void leaveChecksums() { leavesChecksums_ = true; }
  // The next whole packet; the slices behind it are still as they were. Empty when there is none
  // left.
  std::span<uint8_t> next();

 private:
  static constexpr size_t kMaxHeader = 256;

  void sumHeaders(uint8_t protocol);
  void stampIp(uint8_t* packet, size_t length);
  void stampTcp(uint8_t* tcp, size_t length);
  void stampUdp(uint8_t* udp, size_t length);

  uint8_t* packet_ = nullptr;
  Family family_ = Family::ipv4;
  bool isTcp_ = false;
  bool leavesChecksums_ = false;
  size_t transportAt_ = 0;
  size_t headerLength_ = 0;  // IP and transport
  size_t payload_ = 0;
  size_t segment_ = 0;  // payload bytes a segment
  size_t count_ = 0;
  size_t index_ = 0;
  uint32_t sequence_ = 0;
  uint16_t identifier_ = 0;
  uint8_t flags_ = 0;
  Sum ipSum_ = 0;      // IPv4 header without length, identifier and checksum
  Sum pseudoSum_ = 0;  // pseudo-header without the length
  Sum transportSum_ =
      0;  // pseudo-header and transport header without what differs between segments
  std::array<uint8_t, kMaxHeader> header_;
};

// Whether the checksum that a VIRTIO_NET_HDR_F_NEEDS_CSUM packet lacks belongs inside it.
bool isChecksumInside(const VirtioNetHeader& header, size_t length);

// Stores the checksum that a VIRTIO_NET_HDR_F_NEEDS_CSUM packet lacks; its field holds the
// pseudo-header's sum. False when the header points outside the packet.
bool completeChecksum(const VirtioNetHeader& header, std::span<uint8_t> packet);

}  // namespace heddle
