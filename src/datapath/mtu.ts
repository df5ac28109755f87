/** How long a plaintext becomes (WireGuard §5.4.6: padded to 16 to hide lengths; the kernel never pads past the MTU). */

const PADDING = 16;
/** Before the control plane says otherwise: what 1500 leaves under IPv6 and WireGuard's 32 bytes. */
export const DEFAULT_MTU = 1420;

/** The padded length of an inner packet of `length` bytes; the kernel's calculate_skb_padding (send.c). */
export function paddedLength(length: number, mtu: number): number {
  if (mtu === 0) return roundUp(length);
  const last = length > mtu ? length % mtu : length;
  return length - last + Math.min(mtu, roundUp(last));
}

function roundUp(length: number): number {
  return Math.ceil(length / PADDING) * PADDING;
}
