/** The paths and methods of the control socket. */

const ROUTES = [
  { name: 'status', method: 'GET', path: '/v1/status' },
  { name: 'metrics', method: 'GET', path: '/metrics' },
  { name: 'stop', method: 'POST', path: '/v1/stop' },
  { name: 'reload', method: 'POST', path: '/v1/reload' },
  { name: 'mesh', method: 'GET', path: '/v1/mesh' },
  { name: 'meshCommand', method: 'POST', path: '/v1/mesh/command' },
] as const;

export type RouteName = (typeof ROUTES)[number]['name'];

export type Match =
  | { readonly kind: 'route'; readonly name: RouteName }
  | { readonly kind: 'noSuchPath' }
  | { readonly kind: 'wrongMethod'; readonly allowed: string };

/** The query of `path` is not part of a route. */
export function matchRoute(method: string, path: string): Match {
  const bare = path.split('?', 1)[0];
  const route = ROUTES.find((each) => each.path === bare);
  if (!route) return { kind: 'noSuchPath' };
  if (route.method !== method) return { kind: 'wrongMethod', allowed: route.method };
  return { kind: 'route', name: route.name };
}
