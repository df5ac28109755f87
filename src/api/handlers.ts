/**
 * Requests of the control socket answered: a value in, a value out, and at most one thing for the
 * daemon to carry out.
 */

import { unreachable } from '../base/assert.js';
import type { Metric } from '../metrics/metric.js';
import type { MeshDocument } from './mesh_status.js';
import { metricsOf } from './metrics.js';
import { matchRoute } from './routes.js';
import type { StatusDocument } from './status.js';

export interface ApiRequest {
  readonly method: string;
  readonly path: string;
}

export interface ApiResponse {
  /** An HTTP status code. */
  readonly status: number;
  /** A JSON value. */
  readonly body: unknown;
  /** What the answer is to hold instead, as text. */
  readonly metrics?: readonly Metric[];
  /**
   * What the daemon is to do: `stop` after it has answered; what comes of `reload`, and of `mesh`
   * (the command in the request's body), is the answer.
   */
  readonly command?: 'stop' | 'reload' | 'mesh';
}

/** What requests are answered from; read only where the answer needs it. */
export interface ApiSources {
  readonly status: () => StatusDocument;
  /** Undefined: there is no mesh. */
  readonly mesh: () => MeshDocument | undefined;
}

const NO_MESH = {
  error: 'This daemon runs without a mesh; `heddle up` without a configuration file makes one',
};

export function handleRequest(request: ApiRequest, sources: ApiSources): ApiResponse {
  const match = matchRoute(request.method, request.path);
  switch (match.kind) {
    case 'noSuchPath':
      return { status: 404, body: { error: 'There is nothing at this path' } };
    case 'wrongMethod':
      return { status: 405, body: { error: `This path takes ${match.allowed}` } };
    case 'route':
      if (match.name === 'status') return { status: 200, body: sources.status() };
      if (match.name === 'mesh' || match.name === 'meshCommand') {
        const mesh = sources.mesh();
        if (!mesh) return { status: 409, body: NO_MESH };
        if (match.name === 'mesh') return { status: 200, body: mesh };
        return { status: 202, body: {}, command: 'mesh' };
      }
      if (match.name === 'metrics') {
        return { status: 200, body: {}, metrics: metricsOf(sources.status(), sources.mesh()) };
      }
      if (match.name === 'reload') return { status: 202, body: {}, command: 'reload' };
      return { status: 202, body: { stopping: true }, command: 'stop' };
    default:
      return unreachable(match);
  }
}
