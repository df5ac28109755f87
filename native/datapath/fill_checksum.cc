#include "datapath/fill_checksum.h"

#include "datapath/classify.h"
#include "wire/checksum.h"
#include "wire/tcp.h"
#include "wire/udp.h"

namespace heddle {

void fillChecksum(uint8_t* packet, size_t length) {
  Flow flow = classify(packet, length);
  if (flow.protocol == 0) return;
  size_t at = flow.transportAt;
  uint8_t* checksum =
      packet + at + (flow.protocol == kProtocolTcp ? kTcpChecksumAt : kUdpChecksumAt);
  Sum pseudo = sumPseudoHeader(flow.family, packet, flow.protocol) +
               sumBe32(static_cast<uint32_t>(length - at));
  if (loadLe16(checksum) != foldSum(pseudo)) return;
  storeLe16(checksum, 0);
  storeNonzeroChecksum(checksum, pseudo + sumBytes(packet + at, length - at));
}

}  // namespace heddle
