/**
 * Says what the path is: metered, free or unknown, and whose. The route is taken from the request target alone, never
 * from a header (reliability.md 4.2, AuthZ). After `guard`, since a target that is no path must not get here; before
 * `read`, since an unknown path must not make the proxy read 32 MiB.
 */
import { pathFate, type Provider } from '@tollgate/providers';
import { refuse } from '../refusal.ts';
import type { Exchange, Outcome, Stage } from '../exchange.ts';

export interface IdentifyDeps {
  /** Takes over calls that are not metered. */
  readonly passThrough: (exchange: Exchange, fate: PassedFate) => Outcome | Promise<Outcome>;
}

/** A path that is forwarded without being metered: known to be free, or unknown. */
export interface PassedFate {
  readonly provider: Provider;
  readonly upstreamPath: string;
  readonly isFree: boolean;
}

export const identify = ({ passThrough }: IdentifyDeps): Stage =>
  function identify(exchange) {
    const { method = '', url = '' } = exchange.req;
    const fate = pathFate(method, url);
    switch (fate.fate) {
      case 'invalid':
        return refuse(fate.error, fate.message);
      case 'free':
      case 'unknown':
        exchange.shape = fate.shape;
        return passThrough(exchange, {
          provider: fate.provider,
          upstreamPath: fate.upstreamPath,
          isFree: fate.fate === 'free',
        });
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
