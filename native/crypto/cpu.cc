#include "crypto/cpu.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace heddle {

#if defined(__x86_64__)

namespace {

// A bit of ECX (Intel SDM, CPUID): for what not every compiler's run-time can be asked.
bool hasEcxBit(unsigned leaf, unsigned bit) {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid_count(leaf, 0, &eax, &ebx, &ecx, &edx) != 0 && (ecx >> bit & 1) != 0;
}

}  // namespace

// The compiler's run-time asks whether the kernel keeps the wide registers, too.
bool hasAesInstructions() {
  return __builtin_cpu_supports("aes") != 0 && __builtin_cpu_supports("pclmul") != 0;
}

bool hasAvxAes() {
  return hasAesInstructions() && __builtin_cpu_supports("avx") != 0 && hasEcxBit(1, 22) /* MOVBE */;
}

bool hasVaes() {
  return hasAesInstructions() && hasAvx512() && hasEcxBit(7, 9) /* VAES */ &&
         hasEcxBit(7, 10) /* VPCLMULQDQ */;
}

bool hasAvx512() {
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512ifma") != 0;
}

#elif defined(__aarch64__)

bool hasAesInstructions() {
  constexpr unsigned long kNeeded = HWCAP_AES | HWCAP_PMULL;
  return (getauxval(AT_HWCAP) & kNeeded) == kNeeded;
}

bool hasAvxAes() { return false; }

bool hasVaes() { return false; }

bool hasAvx512() { return false; }

#else

bool hasAesInstructions() { return false; }

bool hasAvxAes() { return false; }

bool hasVaes() { return false; }

bool hasAvx512() { return false; }

#endif

}  // namespace heddle
