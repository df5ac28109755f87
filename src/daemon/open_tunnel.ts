/** Placeholder until the node core lands. */
import type { OpenTunnel } from './tunnel.js';

export const openTunnel: OpenTunnel = () => Promise.reject(new Error('no tunnel yet'));
