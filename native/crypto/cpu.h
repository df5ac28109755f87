// What this CPU can do, as far as ciphers ask.
#pragma once

namespace heddle {

// Whether AES-256-GCM is fast here: instructions for AES and for carry-less multiplication (AES-NI
// and PCLMULQDQ, or ARMv8's AES and PMULL).
bool hasAesInstructions();

// Whether OpenSSL's stitched AES-GCM runs here: AES-NI, PCLMULQDQ, AVX and MOVBE.
bool hasAvxAes();

// Whether the kernel of aes_gcm_vaes runs here: VAES, VPCLMULQDQ and AVX-512 (F, BW, VL).
bool hasVaes();

// Whether vectors of 512 bits pay: AVX-512 (F, BW, VL) with IFMA. CPUs that have the first without
// the second slow their clock down for them.
bool hasAvx512();

}  // namespace heddle
