#include "session/transport.h"

#include <cstring>

#include "base/check.h"
#include "wire/wireguard.h"

namespace heddle {

static_assert(kSealRoomBefore >= kAeadRoom);

size_t sealMessage(Keypair& keypair, uint64_t counter, uint8_t* plaintext, size_t length,
                   size_t padded, uint8_t* message, bool isPartial) {
  size_t padding = padded - length;
  CHECK(padding < kSealRoomBehind);
  uint8_t behind[kSealRoomBehind];
  std::memcpy(behind, plaintext + length, sizeof behind);
  std::memset(plaintext + length, 0, padding);
  uint32_t type = kTypeData;
  if (keypair.isHeddle) type = isPartial ? kTypeHeddlePartial : kTypeHeddle;
  keypair.sending.seal(counter, plaintext, padded, message + kDataHeader, noncePrefix(type));
  std::memcpy(plaintext + length, behind, sizeof behind);
  emitDataHeader(message, type, keypair.remoteIndex, counter);
  return kDataOverhead + padded;
}

bool openMessage(Keypair& keypair, uint8_t* message, size_t length, uint8_t* plaintext) {
  return keypair.receiving.open(dataCounter(message), message + kDataHeader, length - kDataOverhead,
                                plaintext, noncePrefix(messageType(message)));
}

}  // namespace heddle
