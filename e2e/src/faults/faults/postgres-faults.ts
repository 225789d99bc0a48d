/** Faults of PostgreSQL: gone, paused, full, locked, out of connections. */
import { pause, until } from '../rig/wait.ts';
import { anyServer, between, untilAllServe, type Fault, type Scene } from './scene.ts';

const crash: Fault = {
  row: 14,
  lane: 'centre',
  name: 'PostgreSQL stops at once in the middle of ingest, and comes back',
  run: async (scene) => {
    const { postgres } = scene.rig;
    await pause(between(scene, 0, 300));
    await postgres.stopImmediately();
    await pause(between(scene, 0, 2_000));
    await postgres.start();
    await untilAllServe(scene);
  },
};

const paused: Fault = {
  row: 16,
  lane: 'centre',
  name: 'PostgreSQL is paused',
  run: async (scene) => {
    scene.rig.postgres.pause();
    await pause(between(scene, 1_500, 5_000));
    scene.rig.postgres.resume();
    await untilAllServe(scene);
  },
};

const full: Fault = {
  row: 16,
  lane: 'centre',
  name: "PostgreSQL's disk is full",
  needs: ['own disk'],
  run: async (scene) => {
    const { postgres } = scene.rig;
    postgres.fillDisk();
    try {
      await pause(between(scene, 2_000, 4_000));
    } finally {
      postgres.freeDisk();
    }
    // It may have crashed of it, and not have come up for want of room.
    if (!(await recovers(scene))) {
      await postgres.stopImmediately();
      await postgres.start();
    }
    await untilAllServe(scene);
  },
};

const recovers = ({ rig: { postgres } }: Scene): Promise<boolean> =>
  until('PostgreSQL answers', 6_000, () => postgres.isUp(), 200).then(
    () => true,
    () => false,
  );

const locked = (table: string): Fault => ({
  row: 16,
  lane: 'centre',
  name: `the table ${table} is locked by another session`,
  run: async (scene) => {
    const { postgres, database } = scene.rig;
    const seconds = String(2 + scene.dice.roll(4));
    const session = postgres.session(database, `BEGIN; LOCK TABLE ${table}; SELECT pg_sleep(${seconds}); ROLLBACK`);
    await session.done;
    await untilAllServe(scene);
  },
});

const cutSessions: Fault = {
  row: 32,
  lane: 'centre',
  name: 'every connection to PostgreSQL is ended by an administrator',
  run: async (scene) => {
    const { postgres, database } = scene.rig;
    for (let times = 0; times < 3; times += 1) {
      const cut = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${database}' AND pid <> pg_backend_pid()`;
      await postgres.query(database, cut);
      await pause(between(scene, 50, 400));
    }
    await untilAllServe(scene);
  },
};

const cutTransactions: Fault = {
  row: 32,
  lane: 'centre',
  name: 'the link to PostgreSQL is reset in the middle of transactions',
  run: async (scene) => {
    const server = anyServer(scene);
    server.toPostgres.set({
      [scene.dice.percent(50) ? 'up' : 'down']: { cutAfterBytes: 200 + scene.dice.roll(8_000) },
    });
    server.toPostgres.cutAll();
    await pause(between(scene, 800, 2_000));
    server.toPostgres.heal();
    await untilAllServe(scene);
  },
};

/** As the rig sets them, less those that the servers may hold on to and a few for the rig. */
const MOST_CONNECTIONS = 56;

const noConnections: Fault = {
  row: 16,
  lane: 'centre',
  name: 'PostgreSQL has no connection left',
  run: async (scene) => {
    const { postgres, database } = scene.rig;
    const others = Array.from({ length: MOST_CONNECTIONS }, () => postgres.session(database, 'SELECT pg_sleep(3)'));
    for (const server of scene.rig.servers) server.toPostgres.cutAll();
    await Promise.all(others.map((each) => each.done));
    await untilAllServe(scene);
  },
};

/** The one fault that money may be lost by: at most what the lost transactions had said (reliability.md 2.2, lambda). */
const failover: Fault = {
  row: 15,
  lane: 'centre',
  isAlone: true,
  name: 'PostgreSQL fails over to a standby that has not heard the last of it',
  losesCommits: true,
  run: async (scene) => {
    const { postgres, servers } = scene.rig;
    const standby = await postgres.standBy();
    standby.replication.set({ down: { isHeld: true } });
    await pause(between(scene, 500, 1_500));
    await standby.takeOver();
    for (const server of servers) server.toPostgres.cutAll();
    await untilAllServe(scene);
  },
};

export const POSTGRES_FAULTS: readonly Fault[] = [
  crash,
  crash,
  paused,
  full,
  locked('counter'),
  locked('event'),
  locked('usage_daily'),
  cutSessions,
  cutTransactions,
  noConnections,
  failover,
];
