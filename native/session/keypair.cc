#include "session/keypair.h"

namespace heddle {

Keypair::Keypair(PeerEntry& owner, const KeypairMaterial& material)
    : peer(owner),
      localIndex(material.localIndex),
      remoteIndex(material.remoteIndex),
      createdAt(material.createdAt),
      isInitiator(material.isInitiator),
      sending(material.sendKey, AeadDirection::seal),
      receiving(material.receiveKey, AeadDirection::open) {}

}  // namespace heddle
