/** Draws one fault: what, whom and for how long. Every kind is as likely as any other. */
import { MATRIX } from './matrix.ts';
import type { Shape } from './plan-shape.ts';
import type { Random } from './random.ts';
import type { CallAction, FaultAction, FaultEffect, FaultKind, PlannedLimit } from './schedule.ts';

type Draw = (random: Random, shape: Shape, limits: readonly PlannedLimit[]) => FaultEffect;

const HOUR = 3_600_000;

const DRAW: Readonly<Record<FaultKind, Draw>> = {
  kill: (random, shape) => ({ kind: 'kill', proxy: oneOf(random, shape.proxies), downMs: random.between(10, 15_000) }),
  'kill-at-record': (random, shape) => ({
    kind: 'kill-at-record',
    proxy: oneOf(random, shape.proxies),
    record: random.between(1, 25),
    when: random.pick(['before', 'torn', 'after']),
    downMs: random.between(10, 15_000),
  }),
  'disk-full': (random, shape) => ({
    kind: 'disk-full',
    proxy: oneOf(random, shape.proxies),
    forMs: random.between(50, 20_000),
  }),
  'lose-node': (random, shape) => ({
    kind: 'lose-node',
    proxy: oneOf(random, shape.proxies),
    downMs: random.between(10, 15_000),
  }),
  'pause-proxy': (random, shape) => ({
    kind: 'pause-proxy',
    proxy: oneOf(random, shape.proxies),
    forMs: random.between(500, 60_000),
  }),
  'lose-replies': (random, shape) => ({
    kind: 'lose-replies',
    proxy: oneOf(random, shape.proxies),
    replies: random.between(1, 5),
  }),
  partition: (random, shape) => ({
    kind: 'partition',
    proxy: oneOf(random, shape.proxies),
    way: random.pick(['to', 'from', 'both']),
    forMs: random.between(100, 20_000),
  }),
  duplicates: (random) => ({ kind: 'duplicates', forMs: random.between(1_000, 20_000) }),
  'kill-server': (random, shape) => ({
    kind: 'kill-server',
    server: oneOf(random, shape.servers),
    downMs: random.between(10, 10_000),
  }),
  'restart-server': (random, shape) => ({
    kind: 'restart-server',
    server: oneOf(random, shape.servers),
    downMs: random.between(10, 3_000),
  }),
  'kill-server-at-block': (random, shape) => ({
    kind: 'kill-server-at-block',
    server: oneOf(random, shape.servers),
    downMs: random.between(10, 5_000),
  }),
  'stop-postgres': (random) => ({ kind: 'stop-postgres', forMs: random.between(100, 15_000) }),
  'lose-commit-answers': (random) => ({ kind: 'lose-commit-answers', answers: random.between(1, 6) }),
  'slow-postgres': (random) => ({
    kind: 'slow-postgres',
    forMs: random.between(500, 15_000),
    delayMs: random.between(20, 1_500),
  }),
  'empty-redis': (random) => ({ kind: 'empty-redis', downMs: random.between(0, 5_000) }),
  'flush-redis': () => ({ kind: 'flush-redis' }),
  'stale-redis': (random) => ({
    kind: 'stale-redis',
    ageMs: random.between(100, 20_000),
    downMs: random.between(0, 3_000),
  }),
  'promote-replica': (random) => ({ kind: 'promote-replica', ageMs: random.between(5, 2_000) }),
  'flap-redis': (random) => ({ kind: 'flap-redis', ageMs: random.between(50, 20_000) }),
  'edit-redis': (random) => ({ kind: 'edit-redis', pick: random.between(0, 20), amount: random.between(0, 1_000_000) }),
  'pause-redis': (random) => ({ kind: 'pause-redis', forMs: random.between(200, 15_000) }),
  'slow-redis': (random) => ({
    kind: 'slow-redis',
    forMs: random.between(500, 15_000),
    delayMs: random.between(50, 600),
  }),
  'cut-off-redis': (random, shape) => ({
    kind: 'cut-off-redis',
    server: oneOf(random, shape.servers),
    forMs: random.between(200, 15_000),
  }),
  'lose-redis-answers': (random) => ({ kind: 'lose-redis-answers', answers: random.between(1, 6) }),
  'split-redis': (random) => ({
    kind: 'split-redis',
    ageMs: random.between(5, 2_000),
    forMs: random.between(1_000, 20_000),
  }),
  'jump-clock': (random, shape) => {
    const party = random.pick(['proxy', 'server', 'redis', 'redis'] as const);
    return {
      kind: 'jump-clock',
      party,
      index: oneOf(random, party === 'proxy' ? shape.proxies : shape.servers),
      byMs: random.pick([-24 * HOUR, -HOUR, -40_000, -7_000, 7_000, 40_000, HOUR, 24 * HOUR]),
    };
  },
  rush: (random) => ({
    kind: 'rush',
    seed: random.between(1, 1_000_000),
    calls: random.between(10, 24),
    spreadMs: random.between(10, 200),
  }),
  crowd: (random) => ({
    kind: 'crowd',
    seed: random.between(1, 1_000_000),
    joins: random.between(6, 16),
    stayMs: random.between(50, 4_000),
  }),
  'change-limit': (random, _shape, limits) => {
    const limit = oneOf(random, limits.length);
    const { max } = limits[limit] ?? { max: 0 };
    return {
      kind: 'change-limit',
      limit,
      max: random.pick([null, 0, Math.ceil(max / 4), Math.ceil(max / 2), max * 2, max * 10]),
    };
  },
};

const KINDS: readonly FaultKind[] = MATRIX.flatMap(({ kinds }) => kinds);

export interface FaultSetting {
  readonly shape: Shape;
  readonly limits: readonly PlannedLimit[];
  readonly calls: readonly CallAction[];
}

export const planFault = (random: Random, { shape, limits, calls }: FaultSetting): FaultAction => {
  const kinds = shape.kinds ?? KINDS;
  const kind = kinds[random.between(0, kinds.length - 1)] ?? 'kill';
  const effect = DRAW[kind](random, shape, limits);
  if (kind === 'rush') return { at: atRollover(random, shape, limits), ...effect };
  const call = calls[random.between(0, calls.length - 1)];
  // What strikes a proxy strikes it within a call of its own, most of the time.
  if ('proxy' in effect && call && random.chance(0.8))
    return { ...effect, at: call.at + random.between(0, 80), proxy: call.proxy };
  return { at: random.between(1_000, shape.lastsMs - 1_000), ...effect };
};

const oneOf = (random: Random, count: number): number => random.between(0, count - 1);

/** Just before a window ends, so that the rush runs over its end. */
const atRollover = (random: Random, shape: Shape, limits: readonly PlannedLimit[]): number => {
  const { windowMs } = limits[0] ?? { windowMs: null };
  const every = windowMs ?? shape.lastsMs;
  const windows = Math.max(1, Math.floor(shape.lastsMs / every) - 1);
  return every * random.between(1, windows) - random.between(0, 60);
};
