/** The version this process was built from. */
import { readFileSync } from 'node:fs';

// Put in by the bundler: the package's version and `git describe`. From source it is not declared at all.
declare const __TOLLGATE_VERSION__: string | undefined;

const versionOfSource = (): string => {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const version =
    typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '0.0.0';
  return `${version}+source`;
};

/** `0.1.0+3f2a91c` in a build, `0.1.0+source` when run from source. */
export const VERSION: string = typeof __TOLLGATE_VERSION__ === 'string' ? __TOLLGATE_VERSION__ : versionOfSource();
