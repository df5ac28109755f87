#include "io/offloads.h"

#include "io/offload_test.h"
#include "io/tun.h"

namespace heddle {

OffloadVerdict judgeOffload(OffloadSwitch wanted, const SelfTest& test) {
  if (wanted == OffloadSwitch::off) return {.isOn = false, .why = "switched off"};
  switch (test.outcome) {
    case SelfTest::Outcome::passed:
      return {.isOn = true, .why = "self-test passed"};
    case SelfTest::Outcome::untested:
      return {.isOn = true, .why = "not tested: " + test.why};
    case SelfTest::Outcome::failed:
      break;
  }
  return {.isOn = false, .why = "self-test failed: " + test.why};
}

OffloadVerdicts judgeOffloads(const OffloadSwitches& wanted, int tun, size_t& refused) {
  OffloadVerdicts verdicts;
  refused = kOffloadCount;
  auto judge = [&](Offload offload, SelfTest (*test)(int)) {
    OffloadSwitch choice = wanted[offload];
    SelfTest result = choice == OffloadSwitch::off ? SelfTest{} : test(tun);
    verdicts[offload] = judgeOffload(choice, result);
    bool isRefused = choice == OffloadSwitch::on && !verdicts[offload].isOn;
    if (isRefused && refused == kOffloadCount) refused = static_cast<size_t>(offload);
  };
  judge(Offload::tunTcp, testTunTcp);
  judge(Offload::tunUdp, testTunUdp);
  judge(Offload::udpGso, [](int) { return testUdpGso(); });
  judge(Offload::udpGro, [](int) { return testUdpGro(); });
  judge(Offload::checksums, testTunChecksums);
  return verdicts;
}

unsigned tunSetting(const OffloadVerdicts& verdicts) {
  return (verdicts[Offload::tunTcp].isOn ? kTunTcp : 0) |
         (verdicts[Offload::tunUdp].isOn ? kTunUdp : 0) |
         (verdicts[Offload::checksums].isOn ? kTunChecksums : 0);
}

CoalesceOptions coalesceOptions(const OffloadVerdicts& verdicts) {
  return {.tcp = verdicts[Offload::tunTcp].isOn, .udp = verdicts[Offload::tunUdp].isOn};
}

}  // namespace heddle
