#include "io/socket_steering.h"

#include <linux/filter.h>
#include <sys/socket.h>

#include <cerrno>
#include <vector>

#include "session/keypair.h"
#include "wire/vxlan.h"
#include "wire/wireguard.h"

namespace heddle {

namespace {

// What a message is to whom: its type, and where the index of its receiver stands.
struct Addressed {
  uint32_t type;
  uint32_t receiverAt;
};
constexpr Addressed kAddressed[] = {{kTypeData, 4},
                                    {kTypeHeddle, 4},
                                    {kTypeHeddlePartial, 4},
                                    {kTypeResponse, 8},
                                    {kTypeCookie, 4}};

// From behind the index register; big-endian. A load past the end gives 0 as the whole's result.
sock_filter load(int size, uint32_t offset) {
  return {.code = static_cast<uint16_t>(BPF_LD | BPF_IND | size), .jt = 0, .jf = 0, .k = offset};
}
sock_filter setIndex(uint32_t value) {
  return {.code = BPF_LDX | BPF_IMM, .jt = 0, .jf = 0, .k = value};
}
sock_filter compute(int operation, uint32_t value) {
  return {.code = static_cast<uint16_t>(BPF_ALU | BPF_K | operation), .jt = 0, .jf = 0, .k = value};
}
// Skips `count` instructions where the accumulator is another value.
sock_filter unless(uint32_t value, uint8_t count) {
  return {.code = BPF_JMP | BPF_JEQ | BPF_K, .jt = 0, .jf = count, .k = value};
}

std::vector<sock_filter> programFor(uint32_t lanes) {
  std::vector<sock_filter> program = {setIndex(0), load(BPF_B, 0), unless(kVxlanValidVni, 1),
                                      setIndex(kVxlanHeader), load(BPF_W, 0)};
  for (auto [type, receiverAt] : kAddressed) {
    program.push_back(unless(__builtin_bswap32(type), 4));
    program.push_back(load(BPF_B, receiverAt));  // the low byte of a little-endian word
    program.push_back(compute(BPF_AND, kMaxLanes - 1));
    program.push_back(compute(BPF_MOD, lanes));
    program.push_back({.code = BPF_RET | BPF_A, .jt = 0, .jf = 0, .k = 0});
  }
  program.push_back({.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = 0});
  return program;
}

}  // namespace

int steerSockets(int socket, uint32_t lanes) {
  std::vector<sock_filter> program = programFor(lanes);
  sock_fprog attached{.len = static_cast<uint16_t>(program.size()), .filter = program.data()};
  int failed = setsockopt(socket, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &attached, sizeof attached);
  return failed < 0 ? errno : 0;
}

}  // namespace heddle
