#include "io/queue_steering.h"

#include <linux/bpf.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <span>
#include <vector>

#include "base/fd.h"
#include "datapath/classify.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"

namespace heddle {

namespace {

// linux/bpf_common.h has what classic BPF shares, linux/bpf.h the rest (RFC 9669).
enum Register : uint8_t { r0, r1, r6 = 6, r7, r8, r9 };

bpf_insn instruction(int code, Register to, Register from, int32_t value) {
  bpf_insn made{};
  made.code = static_cast<uint8_t>(code);
  made.dst_reg = to & 0xf;
  made.src_reg = from & 0xf;
  made.imm = value;
  return made;
}
bpf_insn copy(Register to, Register from) {
  return instruction(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0);
}
bpf_insn set(Register to, int32_t value) {
  return instruction(BPF_ALU64 | BPF_MOV | BPF_K, to, r0, value);
}
// On 32 bits.
bpf_insn compute(int operation, Register to, int32_t value) {
  return instruction(BPF_ALU | BPF_K | operation, to, r0, value);
}
bpf_insn compute(int operation, Register to, Register from) {
  return instruction(BPF_ALU | BPF_X | operation, to, from, 0);
}
// Bytes of the packet into r0, in the host's order; r1 to r5 are lost. Past the packet's end the
// program ends with 0.
bpf_insn load(int size, size_t offset) {
  return instruction(BPF_LD | BPF_ABS | size, r0, r0, static_cast<int32_t>(offset));
}
bpf_insn loadBehind(Register base, int size, int32_t offset) {
  return instruction(BPF_LD | BPF_IND | size, r0, base, offset);
}
bpf_insn jump() { return instruction(BPF_JMP | BPF_JA, r0, r0, 0); }
bpf_insn jumpIf(Register tested, int32_t value) {
  return instruction(BPF_JMP | BPF_JEQ | BPF_K, tested, r0, value);
}
bpf_insn leave() { return instruction(BPF_JMP | BPF_EXIT, r0, r0, 0); }

// A program under construction. r6: the context, where loads want it; r7: the hash so far; r8:
// where the ports stand, 0 for nowhere.
class Program {
 public:
  // Where it was put, for land().
  size_t add(const bpf_insn& instruction) {
    code_.push_back(instruction);
    return code_.size() - 1;
  }
  // A jump that was added leads here.
  void land(size_t jump) { code_[jump].off = static_cast<int16_t>(code_.size() - jump - 1); }
  // The words of both addresses into r7, in no order, so that both directions of a flow are one.
  void addAddresses(size_t from, size_t behind) {
    add(set(r7, 0));
    for (size_t at = from; at < behind; at += 4) {
      add(load(BPF_W, at));
      add(compute(BPF_XOR, r7, r0));
    }
  }
  // r0 into r7.
  void addToHash() {
    add(compute(BPF_ADD, r7, r0));
    add(compute(BPF_MUL, r7, kGoldenRatio));
  }
  std::span<const bpf_insn> code() const { return code_; }

 private:
  // 2^32 over the golden ratio (Knuth, vol. 3, §6.4).
  static constexpr auto kGoldenRatio = static_cast<int32_t>(0x9e3779b1);
  std::vector<bpf_insn> code_;
};

// To the protocol in r0.
void addIpv4(Program& program) {
  program.add(compute(BPF_AND, r8, 0x0f));  // the header's length in words
  program.add(compute(BPF_LSH, r8, 2));
  program.addAddresses(12, 20);
  program.add(load(BPF_H, 6));
  program.add(compute(BPF_AND, r0, kIpv4FragmentMask));
  size_t whole = program.add(jumpIf(r0, 0));
  program.add(set(r8, 0));
  program.land(whole);
  program.add(load(BPF_B, 9));
}

// Likewise.
void addIpv6(Program& program) {
  program.add(set(r8, kIpv6Header));
  program.addAddresses(8, 40);
  program.add(load(BPF_B, 6));
}

Program queueProgram() {
  Program program;
  program.add(copy(r6, r1));
  program.add(load(BPF_B, 0));
  program.add(copy(r8, r0));
  program.add(compute(BPF_RSH, r0, 4));
  size_t ipv4 = program.add(jumpIf(r0, 4));
  size_t ipv6 = program.add(jumpIf(r0, 6));
  program.add(set(r0, 0));
  program.add(leave());
  program.land(ipv4);
  addIpv4(program);
  size_t toProtocol = program.add(jump());
  program.land(ipv6);
  addIpv6(program);
  program.land(toProtocol);
  program.addToHash();
  size_t none = program.add(jumpIf(r8, 0));
  size_t tcp = program.add(jumpIf(r0, kProtocolTcp));
  size_t udp = program.add(jumpIf(r0, kProtocolUdp));
  size_t other = program.add(jump());
  program.land(tcp);
  program.land(udp);
  program.add(loadBehind(r8, BPF_H, 0));
  program.add(copy(r9, r0));
  program.add(loadBehind(r8, BPF_H, 2));
  program.add(compute(BPF_XOR, r0, r9));
  program.addToHash();
  program.land(none);
  program.land(other);
  program.add(copy(r0, r7));
  program.add(compute(BPF_RSH, r0, 16));  // the kernel takes it modulo the queues
  program.add(leave());
  return program;
}

}  // namespace

int steerQueues(int tun) {
  Program program = queueProgram();
  bpf_attr attributes{};
  attributes.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
  attributes.insn_cnt = static_cast<uint32_t>(program.code().size());
  attributes.insns = reinterpret_cast<uint64_t>(program.code().data());
  attributes.license = reinterpret_cast<uint64_t>("Apache-2.0");
  Fd loaded(static_cast<int>(syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes)));
  if (!loaded.valid()) return errno;
  int descriptor = loaded.get();
  return ioctl(tun, TUNSETSTEERINGEBPF, &descriptor) < 0 ? errno : 0;
}

}  // namespace heddle
