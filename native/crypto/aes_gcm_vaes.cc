// The arithmetic of GHASH: a block is a polynomial over GF(2) whose bit 127 is the coefficient of
// x^0 once its bytes are reversed. A carry-less product of two such blocks has 255 bits and lacks a
// factor x, which the stored powers of H carry as x^-1. It is brought back to 128 bits by
// x^128 = x^7 + x^2 + x + 1, 64 bits at a time from its low end (Gueron and Kounavis, "Intel
// Carry-Less Multiplication Instruction and its Usage for Computing the GCM Mode", 2014).
#include "crypto/aes_gcm_vaes.h"

#include "base/bytes.h"
#include "base/check.h"
#include "crypto/cpu.h"

#if defined(__x86_64__)

// GCC 12 warns of its own intrinsics, which begin with registers undefined on purpose (bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>

#define HEDDLE_VAES [[gnu::target("aes,pclmul,vaes,vpclmulqdq,avx512f,avx512bw,avx512vl")]]
#define HEDDLE_VAES_INLINE \
  [[gnu::target("aes,pclmul,vaes,vpclmulqdq,avx512f,avx512bw,avx512vl"), gnu::always_inline]] inline

namespace heddle {

namespace {

using Schedule = VaesGcmKey::Schedule;

constexpr int kRounds = VaesGcmKey::kRoundKeys;
constexpr size_t kPowers = VaesGcmKey::kPowers;
constexpr size_t kBlock = 16;
constexpr size_t kWide = 4 * kBlock;  // four blocks in a register
constexpr size_t kGroup = 4 * kWide;  // sixteen blocks in four registers
constexpr long long kPolynomial = static_cast<long long>(0xc200000000000000);

HEDDLE_VAES_INLINE __m128i load(const uint8_t* at) {
  __m128i block;
  __builtin_memcpy(&block, at, sizeof block);
  return block;
}

HEDDLE_VAES_INLINE void store(uint8_t* at, __m128i block) {
  __builtin_memcpy(at, &block, sizeof block);
}

HEDDLE_VAES_INLINE __m512i xor3(__m512i a, __m512i b, __m512i c) {
  return _mm512_ternarylogic_epi64(a, b, c, 0x96);
}

// Sums of products, before their reduction: bits 0 to 127, 64 to 191 and 128 to 255.
struct Products {
  __m512i low;
  __m512i middle;
  __m512i high;
};

HEDDLE_VAES_INLINE void add(Products& sums, __m512i blocks, __m512i powers) {
  sums.low = _mm512_xor_si512(sums.low, _mm512_clmulepi64_epi128(blocks, powers, 0x00));
  sums.high = _mm512_xor_si512(sums.high, _mm512_clmulepi64_epi128(blocks, powers, 0x11));
  sums.middle = xor3(sums.middle, _mm512_clmulepi64_epi128(blocks, powers, 0x01),
                     _mm512_clmulepi64_epi128(blocks, powers, 0x10));
}

// The four lanes' sum, reduced; in the lowest lane, zeros in the others.
HEDDLE_VAES_INLINE __m512i reduce(const Products& sums) {
  const __m512i polynomial = _mm512_set1_epi64(kPolynomial);
  __m512i middle = xor3(sums.middle, _mm512_shuffle_epi32(sums.low, _MM_PERM_BADC),
                        _mm512_clmulepi64_epi128(sums.low, polynomial, 0x00));
  __m512i high = xor3(sums.high, _mm512_shuffle_epi32(middle, _MM_PERM_BADC),
                      _mm512_clmulepi64_epi128(middle, polynomial, 0x00));
  __m256i two = _mm256_xor_si256(_mm512_castsi512_si256(high), _mm512_extracti64x4_epi64(high, 1));
  __m128i one = _mm_xor_si128(_mm256_castsi256_si128(two), _mm256_extracti128_si256(two, 1));
  return _mm512_zextsi128_si512(one);
}

HEDDLE_VAES_INLINE __m512i zeros() { return _mm512_setzero_si512(); }

HEDDLE_VAES_INLINE __m512i reverseBytes(__m512i blocks) {
  const __m512i order =
      _mm512_broadcast_i32x4(_mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
  return _mm512_shuffle_epi8(blocks, order);
}

// What a message goes through. The counter's own word is kept in the CPU's order.
struct Stream {
  __m512i roundKeys[kRounds];
  __m512i counters;
  __m512i hash;
};

HEDDLE_VAES_INLINE __m512i addToCounters(__m512i counters, int blocks) {
  return _mm512_add_epi32(counters, _mm512_broadcast_i32x4(_mm_set_epi32(blocks, 0, 0, 0)));
}

HEDDLE_VAES_INLINE __m512i firstRound(const Stream& stream, __m512i counters) {
  const __m512i order =
      _mm512_broadcast_i32x4(_mm_set_epi8(12, 13, 14, 15, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
  return _mm512_xor_si512(_mm512_shuffle_epi8(counters, order), stream.roundKeys[0]);
}

template <int First, int Last, int Count>
HEDDLE_VAES_INLINE void encryptRounds(const Stream& stream, __m512i (&blocks)[Count]) {
#pragma GCC unroll 16
  for (int round = First; round <= Last; round++) {
#pragma GCC unroll 8
    for (int i = 0; i < Count; i++) {
      blocks[i] = _mm512_aesenc_epi128(blocks[i], stream.roundKeys[round]);
    }
  }
}

HEDDLE_VAES_INLINE const uint8_t* powersFor(const Schedule& schedule, size_t blocks) {
  return schedule.powers[kPowers - blocks];
}

// A part of the hash of 16 blocks at `sealed`, the last four blocks first: what went before comes
// in last.
template <size_t Index>
HEDDLE_VAES_INLINE void addQuarter(const Schedule& schedule, const Stream& stream,
                                   const uint8_t* sealed, Products& sums) {
  constexpr size_t kAt = kWide * (3 - Index);
  __m512i blocks = reverseBytes(_mm512_loadu_si512(sealed + kAt));
  if (kAt == 0) blocks = _mm512_xor_si512(blocks, stream.hash);
  add(sums, blocks, _mm512_loadu_si512(powersFor(schedule, 16) + kAt));
}

HEDDLE_VAES_INLINE void hashGroup(const Schedule& schedule, Stream& stream, const uint8_t* sealed) {
  Products sums{zeros(), zeros(), zeros()};
  addQuarter<0>(schedule, stream, sealed, sums);
  addQuarter<1>(schedule, stream, sealed, sums);
  addQuarter<2>(schedule, stream, sealed, sums);
  addQuarter<3>(schedule, stream, sealed, sums);
  stream.hash = reduce(sums);
}

// The next sixteen counter blocks, past the first round key.
HEDDLE_VAES_INLINE void startGroup(Stream& stream, __m512i (&blocks)[4]) {
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    blocks[i] = firstRound(stream, stream.counters);
    stream.counters = addToCounters(stream.counters, 4);
  }
}

// The last round, whose key takes the message along.
HEDDLE_VAES_INLINE void finishGroup(const Stream& stream, const __m512i (&blocks)[4],
                                    const uint8_t* in, uint8_t* out) {
#pragma GCC unroll 4
  for (size_t i = 0; i < 4; i++) {
    __m512i given = _mm512_loadu_si512(in + kWide * i);
    __m512i key = _mm512_xor_si512(stream.roundKeys[kRounds - 1], given);
    _mm512_storeu_si512(out + kWide * i, _mm512_aesenclast_epi128(blocks[i], key));
  }
}

// Encrypts the first sixteen blocks of a message.
HEDDLE_VAES_INLINE void takeFirstGroup(Stream& stream, const uint8_t* in, uint8_t* out) {
  __m512i blocks[4];
  startGroup(stream, blocks);
  encryptRounds<1, 13>(stream, blocks);
  finishGroup(stream, blocks, in, out);
}

// Encrypts sixteen blocks, and between its rounds hashes as many at `sealed`.
HEDDLE_VAES_INLINE void takeGroup(const Schedule& schedule, Stream& stream, const uint8_t* in,
                                  uint8_t* out, const uint8_t* sealed) {
  __m512i blocks[4];
  startGroup(stream, blocks);
  Products sums{zeros(), zeros(), zeros()};
  addQuarter<0>(schedule, stream, sealed, sums);
  encryptRounds<1, 3>(stream, blocks);
  addQuarter<1>(schedule, stream, sealed, sums);
  encryptRounds<4, 6>(stream, blocks);
  addQuarter<2>(schedule, stream, sealed, sums);
  encryptRounds<7, 9>(stream, blocks);
  addQuarter<3>(schedule, stream, sealed, sums);
  encryptRounds<10, 11>(stream, blocks);
  stream.hash = reduce(sums);
  encryptRounds<12, 13>(stream, blocks);
  finishGroup(stream, blocks, in, out);
}

HEDDLE_VAES_INLINE __mmask64 firstBytes(size_t count) {
  return count >= kWide ? ~__mmask64{0} : (__mmask64{1} << count) - 1;
}

// What is left of a message, below a group.
struct Tail {
  const uint8_t* in;
  uint8_t* out;
  size_t left;
  size_t length;  // of the whole message
};

// Takes it in Count registers, with the lengths behind it. The counter of the lengths' block is 1:
// so the mask of the tag comes out of the same registers. Returns the tag.
template <bool IsSeal, int Count>
HEDDLE_VAES __m128i takeTail(const Schedule& schedule, const Stream& stream, const Tail& tail) {
  const size_t end = (tail.left + kBlock - 1) / kBlock;  // where the lengths are
  const auto endLane = static_cast<unsigned>(end % 4);
  __m512i blocks[Count];
#pragma GCC unroll 8
  for (int i = 0; i < Count; i++) {
    __m512i counters = addToCounters(stream.counters, 4 * i);
    if (i == Count - 1) {
      counters = _mm512_mask_set1_epi32(counters, static_cast<__mmask16>(8u << (4 * endLane)), 1);
    }
    blocks[i] = firstRound(stream, counters);
  }
  encryptRounds<1, 13>(stream, blocks);
#pragma GCC unroll 8
  for (int i = 0; i < Count; i++) {
    blocks[i] = _mm512_aesenclast_epi128(blocks[i], stream.roundKeys[kRounds - 1]);
  }
  Products sums{zeros(), zeros(), zeros()};
  const uint8_t* powers = powersFor(schedule, end + 1);
#pragma GCC unroll 8
  for (size_t i = 0; i < Count; i++) {
    const size_t at = kWide * i;
    const __mmask64 valid =
        i + 2 < Count ? ~__mmask64{0} : firstBytes(tail.left > at ? tail.left - at : 0);
    __m512i given = _mm512_maskz_loadu_epi8(valid, tail.in + at);
    __m512i made = _mm512_maskz_mov_epi8(valid, _mm512_xor_si512(given, blocks[i]));
    _mm512_mask_storeu_epi8(tail.out + at, valid, made);
    __m512i sealed = reverseBytes(IsSeal ? made : given);
    if (i == Count - 1) {
      sealed = _mm512_mask_set1_epi64(sealed, static_cast<__mmask8>(1u << (2 * endLane)),
                                      static_cast<long long>(8 * tail.length));
    }
    if (i == 0) sealed = _mm512_xor_si512(sealed, stream.hash);
    add(sums, sealed, _mm512_loadu_si512(powers + at));
  }
  __m512i mask =
      _mm512_maskz_compress_epi64(static_cast<__mmask8>(3u << (2 * endLane)), blocks[Count - 1]);
  return _mm512_castsi512_si128(_mm512_xor_si512(reverseBytes(reduce(sums)), mask));
}

template <bool IsSeal>
HEDDLE_VAES_INLINE __m128i finish(const Schedule& schedule, const Stream& stream,
                                  const Tail& tail) {
  switch (tail.left / kWide + (tail.left % kWide > kWide - kBlock ? 2 : 1)) {
    case 1:
      return takeTail<IsSeal, 1>(schedule, stream, tail);
    case 2:
      return takeTail<IsSeal, 2>(schedule, stream, tail);
    case 3:
      return takeTail<IsSeal, 3>(schedule, stream, tail);
    case 4:
      return takeTail<IsSeal, 4>(schedule, stream, tail);
    default:
      return takeTail<IsSeal, 5>(schedule, stream, tail);
  }
}

// The tag of a message that is sealed or opened from `in` to `out`.
template <bool IsSeal>
HEDDLE_VAES __m128i run(const Schedule& schedule, AeadNonce nonce, const uint8_t* in, size_t length,
                        uint8_t* out) {
  Stream stream;
#pragma GCC unroll 16
  for (int i = 0; i < kRounds; i++) {
    stream.roundKeys[i] = _mm512_broadcast_i32x4(load(schedule.roundKeys[i]));
  }
  // The tag's counter is 1, so the message's first is 2 (SP 800-38D §7.1).
  const __m128i first =
      _mm_set_epi32(2, static_cast<int>(nonce.counter >> 32), static_cast<int>(nonce.counter),
                    static_cast<int>(nonce.prefix));
  stream.counters =
      _mm512_add_epi32(_mm512_broadcast_i32x4(first),
                       _mm512_set_epi32(3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0));
  stream.hash = zeros();
  size_t at = 0;
  // Sealing hashes a group while it encrypts the next one; opening has the ciphertext already.
  if (IsSeal && length >= kGroup) {
    takeFirstGroup(stream, in, out);
    at = kGroup;
  }
  for (; length - at >= kGroup; at += kGroup) {
    takeGroup(schedule, stream, in + at, out + at, IsSeal ? out + at - kGroup : in + at);
  }
  if (IsSeal && at > 0) hashGroup(schedule, stream, out + at - kGroup);
  return finish<IsSeal>(schedule, stream, {in + at, out + at, length - at, length});
}

// FIPS 197 §5.2 for 256-bit keys: `given` is two round keys back, `word` from the last one.
HEDDLE_VAES_INLINE __m128i nextRoundKey(__m128i given, __m128i word) {
  given = _mm_xor_si128(given, _mm_slli_si128(given, 4));
  given = _mm_xor_si128(given, _mm_slli_si128(given, 8));
  return _mm_xor_si128(given, word);
}

template <int Constant>
HEDDLE_VAES_INLINE void expandTwice(uint8_t (*at)[kBlock]) {
  __m128i word = _mm_shuffle_epi32(_mm_aeskeygenassist_si128(load(at[-1]), Constant), 0xff);
  store(at[0], nextRoundKey(load(at[-2]), word));
  word = _mm_shuffle_epi32(_mm_aeskeygenassist_si128(load(at[0]), 0), 0xaa);
  store(at[1], nextRoundKey(load(at[-1]), word));
}

HEDDLE_VAES void expand(Schedule& schedule, const uint8_t* key) {
  uint8_t(*keys)[kBlock] = schedule.roundKeys;
  store(keys[0], load(key));
  store(keys[1], load(key + kBlock));
  expandTwice<0x01>(keys + 2);
  expandTwice<0x02>(keys + 4);
  expandTwice<0x04>(keys + 6);
  expandTwice<0x08>(keys + 8);
  expandTwice<0x10>(keys + 10);
  expandTwice<0x20>(keys + 12);
  __m128i word = _mm_shuffle_epi32(_mm_aeskeygenassist_si128(load(keys[13]), 0x40), 0xff);
  store(keys[14], nextRoundKey(load(keys[12]), word));
}

// H is the encrypted zero block; H times x^-1 is a shift by one bit, and what falls out at the end
// comes back as x^127 + x^6 + x + 1.
HEDDLE_VAES void computePowers(Schedule& schedule) {
  __m128i block = load(schedule.roundKeys[0]);
  for (int i = 1; i < kRounds - 1; i++)
    block = _mm_aesenc_si128(block, load(schedule.roundKeys[i]));
  block = _mm_aesenclast_si128(block, load(schedule.roundKeys[kRounds - 1]));
  uint8_t bytes[kBlock];
  store(bytes, block);
  const uint64_t high = loadBe64(bytes);
  const uint64_t low = loadBe64(bytes + 8);
  const uint64_t carry = high >> 63;
  storeLe64(schedule.powers[kPowers - 1], low << 1 | carry);
  storeLe64(schedule.powers[kPowers - 1] + 8, (high << 1 | low >> 63) ^ ((carry * 0xc2) << 56));
  __builtin_memset(schedule.powers[kPowers], 0, 4 * kBlock);
  const __m512i base = _mm512_zextsi128_si512(load(schedule.powers[kPowers - 1]));
  __m512i power = base;
  for (size_t i = kPowers - 1; i-- > 0;) {
    Products product{zeros(), zeros(), zeros()};
    add(product, power, base);
    power = reduce(product);
    store(schedule.powers[i], _mm512_castsi512_si128(power));
  }
  wipe(bytes, sizeof bytes);
}

}  // namespace

const char* VaesGcmKey::lacks() {
  return hasVaes() ? "" : "this CPU lacks VAES, VPCLMULQDQ or AVX-512";
}

VaesGcmKey::VaesGcmKey(std::span<const uint8_t, 32> key) {
  expand(schedule_, key.data());
  computePowers(schedule_);
}

HEDDLE_VAES void VaesGcmKey::seal(AeadNonce nonce, const uint8_t* in, size_t length,
                                  uint8_t* out) const {
  store(out + length, run<true>(schedule_, nonce, in, length, out));
}

HEDDLE_VAES bool VaesGcmKey::open(AeadNonce nonce, const uint8_t* in, size_t length,
                                  uint8_t* out) const {
  const __m128i given = load(in + length);
  const __m128i expected = run<false>(schedule_, nonce, in, length, out);
  return _mm_testz_si128(_mm_xor_si128(given, expected), _mm_set1_epi8(-1)) != 0;
}

}  // namespace heddle

#else

namespace heddle {

const char* VaesGcmKey::lacks() { return "this CPU is no x86-64"; }

VaesGcmKey::VaesGcmKey(std::span<const uint8_t, 32>) { CHECK(false); }

void VaesGcmKey::seal(AeadNonce, const uint8_t*, size_t, uint8_t*) const {}

bool VaesGcmKey::open(AeadNonce, const uint8_t*, size_t, uint8_t*) const { return false; }

}  // namespace heddle

#endif
