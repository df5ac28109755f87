// Sealing and opening data messages (WireGuard §5.4.6): header, ciphertext, tag.
#pragma once

#include <cstddef>
#include <cstdint>

#include "session/keypair.h"

namespace heddle {

// Room that sealing uses and leaves as it found it: before the plaintext and before the message,
// and behind the plaintext.
inline constexpr size_t kSealRoomBefore = 64;
inline constexpr size_t kSealRoomBehind = 16;

// Writes at `message` the data message with `counter` whose plaintext is `length` bytes at
// `plaintext` and zeros up to `padded` bytes, at most 15 more. The two do not overlap. Returns the
// message's length, 32 + padded. `isPartial`: the checksum inside holds the pseudo-header's sum
// alone, which the keypair's peer trusts.
size_t sealMessage(Keypair& keypair, uint64_t counter, uint8_t* plaintext, size_t length,
                   size_t padded, uint8_t* message, bool isPartial = false);

// Opens the data message of `length` bytes, at least 32, to `plaintext` (length - 32 bytes;
// elsewhere). False when it does not authenticate; what lies at `plaintext` must then be forgotten.
// `message` is written to but left as it was.
bool openMessage(Keypair& keypair, uint8_t* message, size_t length, uint8_t* plaintext);

}  // namespace heddle
