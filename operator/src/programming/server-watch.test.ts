import { describe, expect, it } from '@jest/globals';
import { silentLogger } from '@tollgate/runtime';
import { makeFakeClock } from '@tollgate/testkit';
import { aBudgetView, aRouteView } from '../controllers/testing/objects.ts';
import { ServerFault } from './server-fault.ts';
import type { RouteView } from './server-views.ts';
import { startServerWatch } from './server-watch.ts';

const aWatch = () => {
  const clock = makeFakeClock();
  const server = { budgets: [aBudgetView()], routes: [] as RouteView[], fault: null as Error | null, asked: 0 };
  const told: string[] = [];
  const watch = startServerWatch({
    client: {
      budgets: async () => {
        server.asked += 1;
        if (server.fault) throw server.fault;
        return { asOf: '', budgets: server.budgets };
      },
      routes: async () => ({ routes: server.routes }),
    },
    intervalMs: 2_000,
    timers: clock.timers,
    log: silentLogger(),
    onBudgets: (keys) => void told.push(`budgets ${keys.join()}`),
    onRoutes: (keys) => void told.push(`routes ${keys.join()}`),
    onTurn: () => void told.push(`turn ${watch.fault()?.reason ?? 'well'}`),
  });
  return { clock, server, told, watch };
};

describe('the watch of the server', () => {
  it('tells what changed, and nothing where only time went on', async () => {
    const { clock, server, told, watch } = aWatch();
    await clock.advance(0);
    expect(told).toEqual(['turn well', 'budgets team-a/chat']);
    server.budgets = [aBudgetView({ asOf: '2026-11-21T12:00:02.000Z' })];
    await clock.advance(2_000);
    expect(told).toHaveLength(2);
    server.budgets = [aBudgetView({ limit: { percent: 51 } })];
    server.routes = [aRouteView([{ rule: 'all', name: 'openai' }])];
    await clock.advance(2_000);
    expect(told.slice(2)).toEqual(['budgets team-a/chat', 'routes team-a/models']);
    expect(watch.budget('team-a/chat')?.limits[0]?.percent).toBe(51);
    server.budgets = [];
    await clock.advance(2_000);
    expect(told.at(-1)).toBe('budgets team-a/chat');
    expect(watch.budget('team-a/chat')).toBeNull();
  });

  it('keeps the last answer while the server is away, and says so once', async () => {
    const { clock, server, told, watch } = aWatch();
    await clock.advance(0);
    server.fault = new ServerFault(null, 'unreachable', 'x');
    await clock.advance(10_000);
    expect(told.slice(2)).toEqual(['turn unreachable']);
    expect(watch.budget('team-a/chat')).not.toBeNull();
    server.fault = new ServerFault(503, 'ledger_unavailable', 'x');
    await clock.advance(2_000);
    server.fault = null;
    await clock.advance(2_000);
    expect(told.slice(3)).toEqual(['turn ledger_unavailable', 'turn well']);
  });

  it('asks at once when it is poked, and once only', async () => {
    const { clock, server, watch } = aWatch();
    await clock.advance(500);
    watch.poke();
    watch.poke();
    await clock.advance(0);
    expect(server.asked).toBe(3);
    await clock.advance(1_999);
    expect(server.asked).toBe(3);
  });

  it('asks nothing once it is stopped', async () => {
    const { clock, server, watch } = aWatch();
    await clock.advance(0);
    await watch.stop();
    await clock.advance(60_000);
    expect({ asked: server.asked, pending: clock.pending() }).toEqual({ asked: 1, pending: 0 });
  });
});
