#include "session/keypair.h"

#include "base/check.h"
#include "base/locked_pool.h"

namespace heddle {

namespace {

// Never destroyed: at the end of the process keypairs may outlive any static.
LockedPool& pool() {
  static LockedPool& pool = *new LockedPool(sizeof(Keypair), alignof(Keypair));
  return pool;
}

bool isAes(const KeypairMaterial& material) { return material.suite == Suite::aes256Gcm; }

}  // namespace

Keypair::Keypair(PeerEntry& owner, const KeypairMaterial& material, bool shared)
    : peer(owner),
      localIndex(material.localIndex),
      remoteIndex(material.remoteIndex),
      createdAt(material.createdAt),
      isInitiator(material.isInitiator),
      takesControl(material.takesControl),
      isHeddle(material.lane != kAnyLane),
      trustsChecksums(material.trustsChecksums),
      isShared(shared),
      lane(material.lane),
      rekeyAfterMessages(isAes(material) ? kAesRekeyAfterMessages : kRekeyAfterMessages),
      rejectAfterMessages(isAes(material) ? kAesRejectAfterMessages : kRejectAfterMessages),
      mostFailedTags(isAes(material) ? kAesMostFailedTags : UINT64_MAX),
      sending(material.sendKey, AeadDirection::seal, material.suite),
      receiving(material.receiveKey, AeadDirection::open, material.suite) {}

void* Keypair::operator new(size_t size) {
  CHECK(size == sizeof(Keypair));
  return pool().take();
}

void Keypair::operator delete(void* keypair) { pool().give(keypair); }

bool Keypair::isMemoryLocked() { return pool().isLocked(); }

}  // namespace heddle
