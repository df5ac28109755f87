/**
 * The sealed encapsulation: what WireGuard makes of an inner packet's length (WireGuard §5.4.6).
 * Lengths are padded to 16 to hide them; the kernel never pads past the MTU, and neither do we.
 */

const PADDING_MULTIPLE = 16;

/**
 * The length of a plaintext of `length` bytes with its padding, as the kernel's send.c has it. A
 * packet longer than the MTU, staged before the MTU shrank, is padded as its last MTU's worth. An
 * MTU of 0 is no bound.
 */
export function paddedLength(length: number, mtu: number): number {
  if (mtu === 0) return roundUp(length);
  const last = length > mtu ? length % mtu : length;
  return length - last + Math.min(mtu, roundUp(last));
}

/**
 * The MTU that bounds the padding of a packet: that of a route into the tunnel where there is one
 * and the packet fits it. A smaller way behind the tunnel is what such a route is for.
 */
export function paddingBound(
  length: number,
  { mtu, routeMtu }: { readonly mtu: number; readonly routeMtu: number },
): number {
  return routeMtu !== 0 && length <= routeMtu && (mtu === 0 || routeMtu < mtu) ? routeMtu : mtu;
}

function roundUp(length: number): number {
  return Math.ceil(length / PADDING_MULTIPLE) * PADDING_MULTIPLE;
}
