/**
 * Says what the path is: metered, free or unknown, and whose. The route is taken from the request target alone, never
 * from a header (reliability.md 4.2, AuthZ). After `guard`, since a target that is no path must not get here; before
 * `read`, since an unknown path must not make the proxy read 32 MiB.
 */
import { pathFate } from '@tollgate/providers';
import { refuse } from '../refusal.ts';
import type { Stage } from '../exchange.ts';

export const identify = (): Stage =>
  function identify(exchange) {
    const { method = '', url = '' } = exchange.req;
    const fate = pathFate(method, url);
    switch (fate.fate) {
      case 'invalid':
        return refuse(fate.error, fate.message);
      case 'free':
      case 'unknown':
        exchange.shape = fate.shape;
        exchange.passed = {
          provider: fate.provider,
          upstreamPath: fate.upstreamPath,
          isFree: fate.fate === 'free',
        };
        return undefined;
      case 'metered':
        exchange.shape = fate.shape;
        exchange.destination = {
          provider: fate.provider,
          format: fate.format,
          shape: fate.shape,
          upstreamPath: fate.upstreamPath,
          modelInPath: fate.model ?? fate.deployment,
          streamInPath: fate.stream,
        };
        return undefined;
      default:
        return fate satisfies never;
    }
  };
