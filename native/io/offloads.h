// The kernel's offloads with their switches: which of them an engine uses, and why.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "datapath/coalesce.h"

namespace heddle {

// The names and the order of src/node/offloads.ts.
enum class Offload : uint8_t { tunTcp, tunUdp, udpGso, udpGro, checksums };

inline constexpr size_t kOffloadCount = 5;
inline constexpr std::array<std::string_view, kOffloadCount> kOffloadNames = {
    "tunTcp", "tunUdp", "udpGso", "udpGro", "checksums"};

template <typename T>
struct PerOffload : std::array<T, kOffloadCount> {
  T& operator[](Offload at) { return this->data()[static_cast<size_t>(at)]; }
  const T& operator[](Offload at) const { return this->data()[static_cast<size_t>(at)]; }
};

enum class OffloadSwitch : uint8_t { automatic, on, off };
using OffloadSwitches = PerOffload<OffloadSwitch>;

// How an offload did when it was tried.
struct SelfTest {
  enum class Outcome : uint8_t { passed, failed, untested } outcome = Outcome::passed;
  std::string why;  // not passed: what stood against it
};

struct OffloadVerdict {
  bool isOn = false;
  std::string why;
};
using OffloadVerdicts = PerOffload<OffloadVerdict>;

// From a switch and a self-test to what is done. One that could not be tested is used: all that
// fails later is done without.
OffloadVerdict judgeOffload(OffloadSwitch wanted, const SelfTest& test);

// Runs the self-tests of what is not switched off and judges them; some milliseconds. `tun` is a
// TUN device whose offloads may be set, and are not what they were afterwards. `refused` is the
// first offload that is switched on and fails, or kOffloadCount.
OffloadVerdicts judgeOffloads(const OffloadSwitches& wanted, int tun, size_t& refused);

// What the verdicts mean to who sets the TUN device (setTunOffloads), and to who puts packets
// together.
unsigned tunSetting(const OffloadVerdicts& verdicts);
CoalesceOptions coalesceOptions(const OffloadVerdicts& verdicts);

}  // namespace heddle
