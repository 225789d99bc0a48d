/**
 * An empty cluster, made once and kept: making one takes 4.4 s of CPU, unpacking one 1.1 s (measured, PGlite 0.5.16). A
 * template that cannot be read or written costs nothing but that time.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { constants, gunzipSync, gzipSync } from 'node:zlib';

/** The part of PGlite that is needed. */
export interface Dumps {
  dumpDataDir(compression: 'none'): Promise<Blob>;
}

export interface TemplateOptions<D extends Dumps> {
  readonly dataDir: string;
  readonly templates: string | null;
  readonly create: (options: { dataDir: string; loadDataDir?: Blob }) => Promise<D>;
}

export const openFromTemplate = async <D extends Dumps>({
  dataDir,
  templates,
  create,
}: TemplateOptions<D>): Promise<D> => {
  const isNew = dataDir.startsWith('memory:') || !existsSync(join(dataDir, 'PG_VERSION'));
  if (!isNew || templates === null) return create({ dataDir });
  const file = join(templates, `pglite-${pgliteVersion()}.tar.gz`);
  const template = readTemplate(file);
  if (template !== null) {
    try {
      return await create({ dataDir, loadDataDir: template });
    } catch {
      // Torn, or of another build: made anew below, into a folder that is empty again.
      rmSync(file, { force: true });
      if (!dataDir.startsWith('memory:')) rmSync(dataDir, { recursive: true, force: true });
    }
  }
  const db = await create({ dataDir });
  await writeTemplate(file, templates, db);
  return db;
};

const readTemplate = (file: string): Blob | null => {
  try {
    return new Blob([gunzipSync(readFileSync(file))]);
  } catch {
    return null;
  }
};

const writeTemplate = async (file: string, templates: string, db: Dumps): Promise<void> => {
  const fresh = `${file}.${process.pid}`;
  try {
    mkdirSync(templates, { recursive: true, mode: 0o700 });
  } catch {
    return;
  }
  try {
    const dump = await db.dumpDataDir('none');
    const packed = gzipSync(Buffer.from(await dump.arrayBuffer()), { level: constants.Z_BEST_SPEED });
    writeFileSync(fresh, packed, { mode: 0o600 });
    // By rename: whoever reads meanwhile sees the whole file or none.
    renameSync(fresh, file);
  } catch {
    rmSync(fresh, { force: true });
  }
};

/** Templates of another version are not read; the first start of a version makes its own. */
const pgliteVersion = (): string => {
  // Its exports name no manifest, which lies one folder above its entry.
  const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  const manifest: unknown = JSON.parse(readFileSync(join(dirname(entry), '..', 'package.json'), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : 'unknown';
};
