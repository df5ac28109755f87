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

}  // namespace

Keypair::Keypair(PeerEntry& owner, const KeypairMaterial& material)
    : peer(owner),
      localIndex(material.localIndex),
      remoteIndex(material.remoteIndex),
      createdAt(material.createdAt),
      isInitiator(material.isInitiator),
      sending(material.sendKey, AeadDirection::seal),
      receiving(material.receiveKey, AeadDirection::open) {}

void* Keypair::operator new(size_t size) {
  CHECK(size == sizeof(Keypair));
  return pool().take();
}

void Keypair::operator delete(void* keypair) { pool().give(keypair); }

bool Keypair::isMemoryLocked() { return pool().isLocked(); }

}  // namespace heddle
