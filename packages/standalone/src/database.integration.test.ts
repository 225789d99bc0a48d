import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { namedDatabase, startPglite } from './database.ts';

const command = [process.execPath, '--conditions=source', fileURLToPath(new URL('./pglite-child.ts', import.meta.url))];

describe('the embedded database', () => {
  it('answers on a private socket, and both go when it is closed', async () => {
    const database = await startPglite({
      command,
      dataDir: 'memory',
      templates: null,
      env: { PATH: process.env['PATH'] },
      onLine: () => undefined,
    });
    const dir = decodeURIComponent(database.connectionString.split('host=')[1] ?? '');
    expect(dir).toContain(tmpdir());
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(join(dir, '.s.PGSQL.5432'));
      socket.once('error', reject);
      // SSLRequest: the one question that needs no session. PGlite has no TLS and says N.
      socket.once('connect', () => socket.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])));
      socket.once('data', (data) => {
        resolve(data.toString());
        socket.destroy();
      });
    });
    expect(answer).toBe('N');
    await database.close(10_000);
    await database.gone;
    expect(existsSync(dir)).toBe(false);
  }, 60_000);

  it('that cannot open its folder says why and leaves nothing behind', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'tollgate-db-'));
    const starting = startPglite({
      command: [process.execPath, '-e', `console.error('disk on fire'); process.exit(1)`],
      dataDir: join(dir, 'd'),
      templates: null,
      env: {},
      onLine: () => undefined,
    });
    await expect(starting).rejects.toMatchObject({
      code: 'child-failed',
      todo: expect.stringContaining('disk on fire'),
    });
    rmSync(dir, { recursive: true });
  });

  it('is not ours to stop when it was named', async () => {
    const database = namedDatabase('postgresql://x');
    expect(database.connectionString).toBe('postgresql://x');
    await database.close(1);
  });
});
