/** What the built-in stores run, as a container would: the chart's own start script, and Redis with the file that is mounted. */
import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, cpSync, existsSync, globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import getPort from 'get-port';
import { CHART, find, render } from './testing/helm.ts';

const run = promisify(execFile);
const LIMIT_MS = 120_000;
const PASSWORD = 'a'.repeat(48);

const until = async (isSo: () => Promise<boolean>): Promise<void> => {
  const last = Date.now() + LIMIT_MS;
  while (!(await isSo())) {
    if (Date.now() > last) throw new Error('it did not come to be so');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};

const ended = (child: ChildProcess): Promise<number | null> =>
  child.exitCode === null ? new Promise((resolve) => child.once('exit', resolve)) : Promise.resolve(child.exitCode);

describe('the built-in PostgreSQL', () => {
  let home: string;
  let port: number;
  const psqlAt = globSync('/usr/lib/postgresql/*/bin/psql')[0] ?? 'psql';
  const psql = (sql: string, password = PASSWORD, database = 'tollgate'): Promise<string> =>
    run(
      psqlAt,
      ['-w', '-X', '-A', '-t', '-h', '127.0.0.1', '-p', String(port), '-U', 'tollgate', '-d', database, '-c', sql],
      {
        env: { PATH: process.env['PATH'] ?? '', PGPASSWORD: password },
      },
    ).then(({ stdout }) => stdout.trim());
  /** As the image's own user, whom initdb wants to be no root. */
  const user: { readonly uid?: number; readonly gid?: number } = process.getuid?.() === 0 ? idOf('postgres') : {};
  const start = (): ChildProcess =>
    spawn('sh', [join(home, 'start-postgres.sh')], {
      ...user,
      cwd: home,
      stdio: 'ignore',
      env: {
        PATH: process.env['PATH'] ?? '',
        PGDATA: join(home, 'data'),
        PGPORT: String(port),
        PASSWORD_FILE: join(home, 'password'),
      },
    });
  const answers = (): Promise<boolean> =>
    psql('select 1').then(
      () => true,
      () => false,
    );

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'tollgate-built-in-'));
    chmodSync(home, 0o755);
    if (user.uid !== undefined && user.gid !== undefined) chownSync(home, user.uid, user.gid);
    writeFileSync(join(home, 'password'), PASSWORD, { mode: 0o644 });
    cpSync(join(CHART, 'files/scripts/start-postgres.sh'), join(home, 'start-postgres.sh'));
    port = await getPort();
  }, LIMIT_MS);
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  it(
    'makes its database, lets in who knows the password, and comes back with what it had',
    async () => {
      let server = start();
      await until(answers);
      await psql('create table kept (n int); insert into kept values (7)');
      await expect(psql('select 1', 'b'.repeat(48))).rejects.toThrow('password authentication failed');
      await expect(psql('select 1', '')).rejects.toThrow(/password/);

      // A client that stays connected does not hold up the stop.
      const client = psql('select pg_sleep(600)').catch((error: unknown) => String(error));
      await until(
        async () => Number(await psql("select count(*) from pg_stat_activity where query like 'select pg_sleep%'")) > 0,
      );
      server.kill('SIGTERM');
      expect(await ended(server)).toBe(0);
      expect(await client).toContain('terminating connection');

      server = start();
      await until(answers);
      expect(await psql('select n from kept')).toBe('7');
      server.kill('SIGTERM');
      expect(await ended(server)).toBe(0);
    },
    LIMIT_MS,
  );

  it(
    'begins anew where a first start was cut off',
    async () => {
      rmSync(join(home, 'data'), { recursive: true });
      const killed = start();
      await until(() => Promise.resolve(existsSync(join(home, 'data.new'))));
      killed.kill('SIGKILL');
      await ended(killed);
      // What initdb has begun without its shell comes to its end first.
      await until(() =>
        run('pgrep', ['-f', join(home, 'data.new')]).then(
          () => false,
          () => true,
        ),
      );
      const server = start();
      await until(answers);
      server.kill('SIGTERM');
      expect(await ended(server)).toBe(0);
    },
    LIMIT_MS,
  );
});

describe('the built-in Redis', () => {
  it('asks for the password, keeps nothing on disk, and drops nothing for want of room', async () => {
    const home = mkdtempSync(join(tmpdir(), 'tollgate-built-in-'));
    try {
      const port = await getPort();
      writeFileSync(join(home, 'redis.conf'), `requirepass ${PASSWORD}\n`);
      const [{ command, args }] = find(await render(), 'Deployment', 'tollgate-redis')['spec'].template.spec.containers;
      const [program = '', ...rest] = [...command, ...args].map((word: string) =>
        word === '/tmp' ? home : word.replace(/^\/etc\/tollgate\//, `${home}/`),
      );
      const server = spawn(program, [...rest, '--port', String(port), '--bind', '127.0.0.1'], { stdio: 'ignore' });
      const ask = (...words: readonly string[]): Promise<string> =>
        run('redis-cli', ['-p', String(port), ...words]).then(({ stdout }) => stdout.trim());
      await until(() =>
        ask('ping').then(
          (said) => said.includes('NOAUTH'),
          () => false,
        ),
      );
      const known = ['--no-auth-warning', '-a', PASSWORD];
      expect(await ask(...known, 'ping')).toBe('PONG');
      expect(await ask(...known, 'config', 'get', 'maxmemory-policy')).toContain('noeviction');
      expect(await ask(...known, 'config', 'get', 'save')).toBe('save');
      server.kill('SIGTERM');
      expect(await ended(server)).toBe(0);
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });
});

function idOf(name: string): { readonly uid: number; readonly gid: number } {
  const id = (flag: string): number => Number(execFileSync('id', [flag, name], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}
