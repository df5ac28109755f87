// Key memory, as the kernel sees it in /proc/self/smaps.
#include "base/locked_pool.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cinttypes>
#include <cstring>
#include <fstream>
#include <set>
#include <thread>

#include "base/check.h"
#include "test/test.h"
#include "test/walk.h"

namespace heddle {

namespace {

[[maybe_unused]] constexpr uid_t kNobody = 65534;

// VmFlags of the mapping that holds the address (proc(5)): "lo" is locked, "dd" never dumped.
[[maybe_unused]] std::string flagsOf(const void* address) {
  std::ifstream smaps("/proc/self/smaps");
  auto wanted = reinterpret_cast<uintptr_t>(address);
  bool isIn = false;
  for (std::string line; std::getline(smaps, line);) {
    uintptr_t from = 0;
    uintptr_t to = 0;
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) == 2) {
      isIn = from <= wanted && wanted < to;
    } else if (isIn && line.starts_with("VmFlags:")) {
      return line + " ";
    }
  }
  return "";
}

[[maybe_unused]] bool has(const std::string& flags, const char* flag) {
  return flags.find(std::string(" ") + flag + " ") != std::string::npos;
}

}  // namespace

TEST("locked pool: objects are apart, aligned, and zero when they come again") {
  LockedPool pool(100, 64);
  std::set<uint8_t*> taken;
  for (int i = 0; i < 2000; i++) {
    auto* object = static_cast<uint8_t*>(pool.take());
    EXPECT_EQUAL(reinterpret_cast<uintptr_t>(object) % 64, uintptr_t{0});
    auto next = taken.lower_bound(object);
    if (next != taken.end()) EXPECT(*next - object >= 100);
    if (next != taken.begin()) EXPECT(object - *std::prev(next) >= 100);
    taken.insert(object);
    std::memset(object, 0x5a, 100);
  }
  for (uint8_t* object : taken) pool.give(object);
  for (size_t i = 0; i < taken.size(); i++) {
    auto* again = static_cast<uint8_t*>(pool.take());
    EXPECT(taken.contains(again));
    for (int at = 0; at < 100; at++) EXPECT_EQUAL(again[at], 0);
  }
}

// Sanitizers make mlock(2) a call that does nothing.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

TEST("locked pool: is neither swapped nor dumped, and keypairs lie in one") {
  LockedPool pool(100, 8);
  if (!pool.isLocked()) {
    test::skipped = "needs a larger RLIMIT_MEMLOCK";
    return;
  }
  auto [material, other] = test::sessionAt(1);
  PeerEntry peer(0, 1);
  auto keypair = std::make_unique<Keypair>(peer, material);
  for (const void* object : {pool.take(), static_cast<void*>(keypair.get())}) {
    std::string flags = flagsOf(object);
    EXPECT(has(flags, "lo"));
    EXPECT(has(flags, "dd"));
  }
  EXPECT(Keypair::isMemoryLocked());
}

TEST("locked pool: works where nothing may be locked, and says so") {
  pid_t child = fork();
  if (child == 0) {
    rlimit none{.rlim_cur = 0, .rlim_max = 0};
    setrlimit(RLIMIT_MEMLOCK, &none);
    if (getuid() == 0 && setuid(kNobody) != 0) _exit(3);
    LockedPool pool(100, 8);
    auto* object = static_cast<uint8_t*>(pool.take());
    std::memset(object, 1, 100);
    pool.give(object);
    _exit(pool.isLocked() ? 1 : 0);
  }
  int status = 0;
  EXPECT(waitpid(child, &status, 0) == child);
  EXPECT(WIFEXITED(status));
  EXPECT_EQUAL(WEXITSTATUS(status), 0);
}

#endif

TEST("locked pool: threads share it") {
  LockedPool pool(48, 16);
  auto work = [&pool](uint8_t mark) {
    for (int round = 0; round < 200; round++) {
      std::array<uint8_t*, 20> own{};
      for (uint8_t*& object : own) {
        object = static_cast<uint8_t*>(pool.take());
        std::memset(object, mark, 48);
      }
      for (uint8_t* object : own) {
        for (int at = 0; at < 48; at++) CHECK(object[at] == mark);
        pool.give(object);
      }
    }
  };
  std::thread one(work, uint8_t{1});
  std::thread two(work, uint8_t{2});
  one.join();
  two.join();
}

}  // namespace heddle
