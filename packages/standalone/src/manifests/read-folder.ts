/** Reads every manifest below a folder (or the one file named instead of it). Names are relative to it, with `/`. */
import { readFile, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { errorCode } from '../error-code.ts';

export interface FolderTexts {
  readonly texts: ReadonlyMap<string, string>;
  /** File → why it cannot be read. */
  readonly unreadable: ReadonlyMap<string, string>;
}

const MANIFEST = /\.(ya?ml|json)$/;
/** Deeper folders are not manifests any more; the bound also ends circles of symbolic links. */
export const MAX_DEPTH = 8;
/** Far more than anyone writes by hand: a folder beyond it was not meant. */
export const MAX_FILES = 1000;

export const isManifestName = (name: string): boolean => MANIFEST.test(name) && !name.startsWith('.');

export const readFolder = async (root: string): Promise<FolderTexts> => {
  const texts = new Map<string, string>();
  const unreadable = new Map<string, string>();
  const keep = async (path: string, name: string): Promise<void> => {
    if (texts.size >= MAX_FILES) throw new RangeError(`it holds more than ${MAX_FILES} YAML and JSON files`);
    try {
      texts.set(name, await readFile(path, 'utf8'));
    } catch (error) {
      // A file that went between the listing and the reading is simply gone.
      if (errorCode(error) !== 'ENOENT') unreadable.set(name, errorCode(error) ?? 'unreadable');
    }
  };
  const visit = async (folder: string, prefix: string, depth: number): Promise<void> => {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      // Dot names are editors' and Kubernetes' own (`.swp`, `..data`).
      if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
      const path = join(folder, entry.name);
      const isFolder = entry.isSymbolicLink() ? await isDirectory(path) : entry.isDirectory();
      if (isFolder) {
        if (depth < MAX_DEPTH) await visit(path, `${prefix}${entry.name}/`, depth + 1);
      } else if (isManifestName(entry.name)) {
        await keep(path, prefix + entry.name);
      }
    }
  };
  if ((await stat(root)).isDirectory()) await visit(root, '', 0);
  else await keep(root, basename(root));
  return { texts, unreadable };
};

const isDirectory = async (path: string): Promise<boolean> => {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
};
