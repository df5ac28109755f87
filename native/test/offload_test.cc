// The self-tests of offloads against the real kernel, and what switches make of their results.
#include "io/offload_test.h"

#include <unistd.h>

#include "io/tun.h"
#include "test/own_namespace.h"
#include "test/test.h"

namespace heddle {

namespace {

using Outcome = SelfTest::Outcome;

OffloadSwitches all(OffloadSwitch choice) {
  OffloadSwitches switches;
  switches.fill(choice);
  return switches;
}

struct Tun {
  TunOpened opened = openTun("offload0", {});
  int fd() const { return opened.fd.get(); }
};

}  // namespace

TEST("offload: a switch and a self-test decide, and off needs no test") {
  const SelfTest passed;
  const SelfTest failed{.outcome = Outcome::failed, .why = "a driver"};
  const SelfTest untested{.outcome = Outcome::untested, .why = "no loopback"};
  for (OffloadSwitch choice : {OffloadSwitch::on, OffloadSwitch::automatic}) {
    EXPECT(judgeOffload(choice, passed).isOn);
    EXPECT(!judgeOffload(choice, failed).isOn);
    EXPECT(judgeOffload(choice, failed).why == "self-test failed: a driver");
    EXPECT(judgeOffload(choice, untested).isOn);
    EXPECT(judgeOffload(choice, untested).why == "not tested: no loopback");
  }
  EXPECT(!judgeOffload(OffloadSwitch::off, passed).isOn);
}

TEST("offload: UDP GSO and GRO pass on this kernel's loopback") {
  if (!test::inOwnNamespace()) return;
  EXPECT(testUdpGso().outcome == Outcome::passed);
  EXPECT(testUdpGro().outcome == Outcome::passed);
}

TEST("offload: without a loopback nothing is tested, and the reason is told") {
  if (!test::inOwnNamespace()) return;
  EXPECT(test::setLinkUp("lo", false));
  for (const SelfTest& each : {testUdpGso(), testUdpGro()}) {
    EXPECT(each.outcome == Outcome::untested);
    EXPECT(each.why.find("loopback") != std::string::npos);
  }
  EXPECT(test::setLinkUp("lo", true));
}

TEST("offload: a TUN device takes checksums and TCP; what is set last is what it has") {
  if (!test::inOwnNamespace()) return;
  Tun tun;
  EXPECT(tun.opened.fd.valid());
  EXPECT(testTunChecksums(tun.fd()).outcome == Outcome::passed);
  EXPECT(testTunTcp(tun.fd()).outcome == Outcome::passed);
  EXPECT_EQUAL(setTunOffloads(tun.fd(), 0), 0);
  EXPECT(setTunOffloads(tun.fd(), 1u << 31) != 0);
}

TEST("offload: a descriptor that is no TUN device fails, and refuses what is switched on") {
  if (!test::inOwnNamespace()) return;
  Fd pipes[2];
  int ends[2];
  EXPECT(pipe(ends) == 0);
  pipes[0] = Fd(ends[0]);
  pipes[1] = Fd(ends[1]);
  size_t refused = 0;
  OffloadVerdicts verdicts = judgeOffloads(all(OffloadSwitch::automatic), ends[0], refused);
  EXPECT_EQUAL(refused, kOffloadCount);
  EXPECT(!verdicts[Offload::tunTcp].isOn);
  EXPECT(verdicts[Offload::udpGso].isOn);
  EXPECT_EQUAL(tunSetting(verdicts), 0u);
  EXPECT(!coalesceOptions(verdicts).tcp);

  OffloadSwitches wanted = all(OffloadSwitch::automatic);
  wanted[Offload::tunUdp] = OffloadSwitch::on;
  judgeOffloads(wanted, ends[0], refused);
  EXPECT_EQUAL(refused, static_cast<size_t>(Offload::tunUdp));
}

TEST("offload: what is switched off is not in use, whatever the kernel can") {
  if (!test::inOwnNamespace()) return;
  Tun tun;
  size_t refused = 0;
  OffloadVerdicts verdicts = judgeOffloads(all(OffloadSwitch::off), tun.fd(), refused);
  for (const OffloadVerdict& each : verdicts) EXPECT(!each.isOn);
  OffloadSwitches some = all(OffloadSwitch::off);
  some[Offload::tunTcp] = OffloadSwitch::on;
  verdicts = judgeOffloads(some, tun.fd(), refused);
  EXPECT_EQUAL(refused, kOffloadCount);
  EXPECT_EQUAL(tunSetting(verdicts), kTunTcp);
  EXPECT(coalesceOptions(verdicts).tcp);
  EXPECT(!coalesceOptions(verdicts).udp);
}

}  // namespace heddle
