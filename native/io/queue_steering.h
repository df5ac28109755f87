// Which queue of a TUN device a packet is read from, as a program that the kernel runs says
// (TUNSETSTEERINGEBPF). Left alone, the kernel lets a flow follow its answers from queue to queue,
// and packets of the flow overtake each other.
#pragma once

namespace heddle {

// Gives each packet to the queue that its addresses, its protocol and, of unfragmented TCP and UDP,
// its ports say: always the same of a flow, and of both its directions. `tun` is one of the
// device's queues. 0 or a positive errno, and then the kernel chooses.
int steerQueues(int tun);

}  // namespace heddle
