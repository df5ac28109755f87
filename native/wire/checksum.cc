#include "wire/checksum.h"

namespace heddle {

namespace {

// Halves apart, so that no carry is lost: a one's complement sum may be made of words of any width.
inline Sum halves(uint64_t word) { return (word & 0xffffffff) + (word >> 32); }

}  // namespace

Sum sumBytes(const uint8_t* bytes, size_t length) {
  Sum a = 0;
  Sum b = 0;
  Sum c = 0;
  Sum d = 0;
  while (length >= 32) {
    a += halves(loadLe64(bytes));
    b += halves(loadLe64(bytes + 8));
    c += halves(loadLe64(bytes + 16));
    d += halves(loadLe64(bytes + 24));
    bytes += 32;
    length -= 32;
  }
  Sum sum = a + b + c + d;
  while (length >= 8) {
    sum += halves(loadLe64(bytes));
    bytes += 8;
    length -= 8;
  }
  if (length >= 4) {
    sum += loadLe32(bytes);
    bytes += 4;
    length -= 4;
  }
  if (length >= 2) {
    sum += loadLe16(bytes);
    bytes += 2;
    length -= 2;
  }
  if (length == 1) sum += *bytes;
  return halves(sum);
}

Sum sumPseudoHeader(Family family, const uint8_t* packet, uint8_t protocol) {
  Sum addresses = family == Family::ipv4 ? sumBytes(packet + 12, 8) : sumBytes(packet + 8, 32);
  return addresses + sumBe16(protocol);
}

}  // namespace heddle
