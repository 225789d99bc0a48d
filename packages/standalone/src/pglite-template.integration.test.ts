import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openFromTemplate } from './pglite-template.ts';

const LIMIT = 120_000;
let dir: string;
let created: { dataDir: string; loadDataDir?: Blob }[];
const create = (options: { dataDir: string; loadDataDir?: Blob }): Promise<PGlite> => {
  created.push(options);
  return PGlite.create(options);
};
const fromTemplate = (): boolean[] => created.map(({ loadDataDir }) => loadDataDir !== undefined);

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tollgate-template-'));
  created = [];
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('an empty cluster', () => {
  it(
    'is made once, unpacked after that, and left alone once it holds data',
    async () => {
      const templates = join(dir, 'templates');
      const first = await openFromTemplate({ dataDir: 'memory://', templates, create });
      await first.close();
      const dataDir = join(dir, 'data');
      const second = await openFromTemplate({ dataDir, templates, create });
      await second.exec('CREATE TABLE kept (x int); INSERT INTO kept VALUES (7)');
      await second.close();
      const third = await openFromTemplate({ dataDir, templates, create });
      expect((await third.query('SELECT x FROM kept')).rows).toEqual([{ x: 7 }]);
      await third.close();
      expect(fromTemplate()).toEqual([false, true, false]);
    },
    LIMIT,
  );

  it('is made anew when its template is torn', async () => {
    const templates = join(dir, 'templates');
    const nothing = { dumpDataDir: () => Promise.resolve(new Blob(['no tar'])) };
    const opened: boolean[] = [];
    const open = (failsOnTemplate: boolean) =>
      openFromTemplate({
        dataDir: join(dir, 'data'),
        templates,
        create: ({ loadDataDir }) => {
          opened.push(loadDataDir !== undefined);
          return failsOnTemplate && loadDataDir !== undefined
            ? Promise.reject(new Error('torn'))
            : Promise.resolve(nothing);
        },
      });
    await open(false);
    const [file = ''] = readdirSync(templates);
    await open(true);
    expect(opened).toEqual([false, true, false]);
    writeFileSync(join(templates, file), 'not gzip');
    await open(true);
    expect(opened).toEqual([false, true, false, false]);
  });

  it('is made all the same where no template can be kept', async () => {
    writeFileSync(join(dir, 'file'), '');
    const db = { dumpDataDir: () => Promise.reject(new Error('no')) };
    expect(
      await openFromTemplate({
        dataDir: 'memory://',
        templates: join(dir, 'file', 'x'),
        create: () => Promise.resolve(db),
      }),
    ).toBe(db);
    expect(await openFromTemplate({ dataDir: 'memory://', templates: dir, create: () => Promise.resolve(db) })).toBe(
      db,
    );
    expect(await openFromTemplate({ dataDir: 'memory://', templates: null, create: () => Promise.resolve(db) })).toBe(
      db,
    );
  });
});
