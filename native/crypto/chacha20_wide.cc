#include "crypto/chacha20_wide.h"

#include <algorithm>

#include "base/check.h"
#include "crypto/cpu.h"
#include "crypto/poly1305.h"

#if defined(__x86_64__)

// GCC 12 warns of its own intrinsics, which begin with registers undefined on purpose (bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>

#define HEDDLE_AVX512 [[gnu::target("avx512f,avx512bw,avx512vl")]]
#define HEDDLE_AVX512_INLINE [[gnu::target("avx512f,avx512bw,avx512vl"), gnu::always_inline]] inline

namespace heddle {

namespace {

constexpr size_t kBlock = 64;
constexpr size_t kSet = 4;            // blocks
constexpr size_t kStreamBlocks = 32;  // of key stream at once: a packet of any usual size

struct alignas(64) Stream {
  uint8_t bytes[kStreamBlocks * kBlock];
};

// Four blocks: row i of all of them in rows[i], a block in each 128-bit lane.
struct Set {
  __m512i rows[4];
};

HEDDLE_AVX512_INLINE void quarterRounds(Set& s) {
  s.rows[0] = _mm512_add_epi32(s.rows[0], s.rows[1]);
  s.rows[3] = _mm512_rol_epi32(_mm512_xor_si512(s.rows[3], s.rows[0]), 16);
  s.rows[2] = _mm512_add_epi32(s.rows[2], s.rows[3]);
  s.rows[1] = _mm512_rol_epi32(_mm512_xor_si512(s.rows[1], s.rows[2]), 12);
  s.rows[0] = _mm512_add_epi32(s.rows[0], s.rows[1]);
  s.rows[3] = _mm512_rol_epi32(_mm512_xor_si512(s.rows[3], s.rows[0]), 8);
  s.rows[2] = _mm512_add_epi32(s.rows[2], s.rows[3]);
  s.rows[1] = _mm512_rol_epi32(_mm512_xor_si512(s.rows[1], s.rows[2]), 7);
}

// Turns columns into diagonals.
HEDDLE_AVX512_INLINE void toDiagonals(Set& s) {
  s.rows[1] = _mm512_shuffle_epi32(s.rows[1], _MM_PERM_ADCB);
  s.rows[2] = _mm512_shuffle_epi32(s.rows[2], _MM_PERM_BADC);
  s.rows[3] = _mm512_shuffle_epi32(s.rows[3], _MM_PERM_CBAD);
}

HEDDLE_AVX512_INLINE void toColumns(Set& s) {
  s.rows[1] = _mm512_shuffle_epi32(s.rows[1], _MM_PERM_CBAD);
  s.rows[2] = _mm512_shuffle_epi32(s.rows[2], _MM_PERM_BADC);
  s.rows[3] = _mm512_shuffle_epi32(s.rows[3], _MM_PERM_ADCB);
}

// Stores the four blocks one after the other: lanes become registers.
HEDDLE_AVX512_INLINE void storeSet(const Set& s, uint8_t* at) {
  __m512i low = _mm512_shuffle_i32x4(s.rows[0], s.rows[1], 0x44);
  __m512i high = _mm512_shuffle_i32x4(s.rows[0], s.rows[1], 0xee);
  __m512i nextLow = _mm512_shuffle_i32x4(s.rows[2], s.rows[3], 0x44);
  __m512i nextHigh = _mm512_shuffle_i32x4(s.rows[2], s.rows[3], 0xee);
  _mm512_store_si512(at, _mm512_shuffle_i32x4(low, nextLow, 0x88));
  _mm512_store_si512(at + kBlock, _mm512_shuffle_i32x4(low, nextLow, 0xdd));
  _mm512_store_si512(at + 2 * kBlock, _mm512_shuffle_i32x4(high, nextHigh, 0x88));
  _mm512_store_si512(at + 3 * kBlock, _mm512_shuffle_i32x4(high, nextHigh, 0xdd));
}

// RFC 8439 §2.3 for Count times four blocks from the counter in `start`.
template <int Count>
HEDDLE_AVX512 void makeSets(const Set& start, uint8_t* stream) {
  const __m512i four = _mm512_broadcast_i32x4(_mm_set_epi32(0, 0, 0, kSet));
  Set sets[Count];
  __m512i counters[Count];
#pragma GCC unroll 4
  for (int i = 0; i < Count; i++) {
    sets[i] = start;
    counters[i] = i == 0 ? start.rows[3] : _mm512_add_epi32(counters[i - 1], four);
    sets[i].rows[3] = counters[i];
  }
  for (int round = 0; round < 10; round++) {
#pragma GCC unroll 4
    for (Set& s : sets) quarterRounds(s);
#pragma GCC unroll 4
    for (Set& s : sets) toDiagonals(s);
#pragma GCC unroll 4
    for (Set& s : sets) quarterRounds(s);
#pragma GCC unroll 4
    for (Set& s : sets) toColumns(s);
  }
#pragma GCC unroll 4
  for (int i = 0; i < Count; i++) {
#pragma GCC unroll 3
    for (int row = 0; row < 3; row++) {
      sets[i].rows[row] = _mm512_add_epi32(sets[i].rows[row], start.rows[row]);
    }
    sets[i].rows[3] = _mm512_add_epi32(sets[i].rows[3], counters[i]);
    storeSet(sets[i], stream + kSet * kBlock * static_cast<size_t>(i));
  }
}

// How many sets to make at once. One alone waits for itself most of the time.
int pass(size_t sets) {
  if (sets <= 4) return static_cast<int>(sets);
  return sets == 5 || sets == 6 || sets == 9 ? 3 : 4;
}

HEDDLE_AVX512_INLINE __m512i row(const uint32_t* words) {
  return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(words)));
}

// Writes at least `blocks` blocks of the key stream, from block `first`.
HEDDLE_AVX512 void makeStream(const uint32_t* key, AeadNonce nonce, size_t first, size_t blocks,
                              Stream& stream) {
  constexpr uint32_t kConstants[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
  const uint32_t last[4] = {static_cast<uint32_t>(first), nonce.prefix,
                            static_cast<uint32_t>(nonce.counter),
                            static_cast<uint32_t>(nonce.counter >> 32)};
  Set start{{row(kConstants), row(key), row(key + 4), row(last)}};
  start.rows[3] = _mm512_add_epi32(
      start.rows[3], _mm512_set_epi32(0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0));
  uint8_t* at = stream.bytes;
  for (size_t left = (blocks + kSet - 1) / kSet; left > 0;) {
    const int count = pass(left);
    if (count == 1) makeSets<1>(start, at);
    if (count == 2) makeSets<2>(start, at);
    if (count == 3) makeSets<3>(start, at);
    if (count == 4) makeSets<4>(start, at);
    const int made = count * static_cast<int>(kSet);
    start.rows[3] =
        _mm512_add_epi32(start.rows[3], _mm512_broadcast_i32x4(_mm_set_epi32(0, 0, 0, made)));
    at += kBlock * static_cast<size_t>(made);
    left -= static_cast<size_t>(count);
  }
}

HEDDLE_AVX512 void addStream(const uint8_t* stream, const uint8_t* in, size_t length,
                             uint8_t* out) {
  size_t at = 0;
  for (; length - at >= kBlock; at += kBlock) {
    __m512i given = _mm512_loadu_si512(in + at);
    _mm512_storeu_si512(out + at, _mm512_xor_si512(given, _mm512_loadu_si512(stream + at)));
  }
  if (at == length) return;
  const __mmask64 valid = (__mmask64{1} << (length - at)) - 1;
  __m512i given = _mm512_maskz_loadu_epi8(valid, in + at);
  _mm512_mask_storeu_epi8(out + at, valid,
                          _mm512_xor_si512(given, _mm512_loadu_si512(stream + at)));
}

// The key stream of a message begins behind block 0, which is Poly1305's key.
class Message {
 public:
  Message(const uint32_t* key, AeadNonce nonce, size_t length)
      : key_(key), nonce_(nonce), length_(length) {
    makeStream(key, nonce, 0, std::min(kStreamBlocks, blocks()), stream_);
  }

  const uint8_t* poly1305Key() const { return stream_.bytes; }

  // Encrypts or decrypts. `poly1305Key` is gone after it where the message is longer than the
  // stream.
  void run(const uint8_t* in, uint8_t* out) {
    size_t done = std::min(length_, (kStreamBlocks - 1) * kBlock);
    addStream(stream_.bytes + kBlock, in, done, out);
    while (done < length_) {
      const size_t next = std::min(length_ - done, sizeof stream_.bytes);
      makeStream(key_, nonce_, 1 + done / kBlock, (next + kBlock - 1) / kBlock, stream_);
      addStream(stream_.bytes, in + done, next, out + done);
      done += next;
    }
  }

 private:
  size_t blocks() const { return 1 + (length_ + kBlock - 1) / kBlock; }

  const uint32_t* key_;
  const AeadNonce nonce_;
  const size_t length_;
  Stream stream_;
};

}  // namespace

const char* WideChaChaKey::lacks() {
  return hasAvx512() ? poly1305Lacks() : "this CPU lacks AVX-512 with IFMA";
}

WideChaChaKey::WideChaChaKey(std::span<const uint8_t, 32> key) {
  for (size_t i = 0; i < 8; i++) words_[i] = loadLe32(key.data() + 4 * i);
}

void WideChaChaKey::seal(AeadNonce nonce, const uint8_t* in, size_t length, uint8_t* out) const {
  Message message(words_.data(), nonce, length);
  uint8_t key[kPoly1305Key];
  std::copy_n(message.poly1305Key(), kPoly1305Key, key);
  message.run(in, out);
  uint8_t tag[kPoly1305Tag];
  poly1305Tag(key, out, length, tag);
  std::copy_n(tag, kPoly1305Tag, out + length);
}

bool WideChaChaKey::open(AeadNonce nonce, uint8_t* in, size_t length, uint8_t* out) const {
  Message message(words_.data(), nonce, length);
  if (!poly1305Verify(message.poly1305Key(), in, length)) return false;
  message.run(in, out);
  return true;
}

}  // namespace heddle

#else

namespace heddle {

const char* WideChaChaKey::lacks() { return "this CPU is no x86-64"; }

WideChaChaKey::WideChaChaKey(std::span<const uint8_t, 32>) { CHECK(false); }

void WideChaChaKey::seal(AeadNonce, const uint8_t*, size_t, uint8_t*) const {}

bool WideChaChaKey::open(AeadNonce, uint8_t*, size_t, uint8_t*) const { return false; }

}  // namespace heddle

#endif
