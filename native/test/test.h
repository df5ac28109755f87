// A test frame in a page: TEST registers a sentence and its body, EXPECT records what does not
// hold, and the program prints `ok NAME`, `skip NAME: why` or `FAIL NAME: why` a test and exits
// with 1 when one failed. Random tests draw from random(), seeded by SEED or the clock; the seed is
// printed when a test fails. Included once a program, because it defines main.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "test/random.h"

namespace heddle::test {

struct Test {
  const char* name;
  void (*run)();
};

inline std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}

inline std::string failure;
inline std::string skipped;  // why the test could not run here
inline uint64_t seed = 0;

struct Registration {
  Registration(const char* name, void (*run)()) { tests().push_back({name, run}); }
};

inline void fail(const char* file, int line, const std::string& why) {
  if (failure.empty()) failure = std::string(file) + ":" + std::to_string(line) + ": " + why;
}

template <typename A, typename B>
inline void expectEqual(const A& a, const B& b, const char* text, const char* file, int line) {
  if (a == b) return;
  std::string why = std::string(text) + " differ";
  if constexpr (requires {
                  std::to_string(a);
                  std::to_string(b);
                }) {
    why += ": " + std::to_string(a) + " and " + std::to_string(b);
  }
  fail(file, line, why);
}

inline int runAll() {
  const char* given = std::getenv("SEED");
  seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : static_cast<uint64_t>(time(nullptr));
  bool hasFailed = false;
  for (const Test& test : tests()) {
    failure.clear();
    skipped.clear();
    state = seed;
    test.run();
    if (!failure.empty()) {
      std::printf("FAIL %s: %s (SEED=%llu)\n", test.name, failure.c_str(),
                  static_cast<unsigned long long>(seed));
      hasFailed = true;
    } else if (!skipped.empty()) {
      std::printf("skip %s: %s\n", test.name, skipped.c_str());
    } else {
      std::printf("ok %s\n", test.name);
    }
  }
  return hasFailed ? 1 : 0;
}

}  // namespace heddle::test

#define HEDDLE_JOIN2(a, b) a##b
#define HEDDLE_JOIN(a, b) HEDDLE_JOIN2(a, b)
#define TEST(sentence)                                                         \
  static void HEDDLE_JOIN(test, __LINE__)();                                   \
  static const heddle::test::Registration HEDDLE_JOIN(registration, __LINE__)( \
      sentence, HEDDLE_JOIN(test, __LINE__));                                  \
  static void HEDDLE_JOIN(test, __LINE__)()

#define EXPECT(condition)                                                 \
  do {                                                                    \
    if (!(condition)) heddle::test::fail(__FILE__, __LINE__, #condition); \
  } while (false)
#define EXPECT_EQUAL(a, b) heddle::test::expectEqual(a, b, #a " and " #b, __FILE__, __LINE__)

int main() { return heddle::test::runAll(); }
