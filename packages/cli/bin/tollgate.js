#!/usr/bin/env node
import { existsSync } from 'node:fs';

const bundle = new URL('../dist/tollgate.js', import.meta.url);
if (!existsSync(bundle)) {
  process.stderr.write('tollgate: not built yet. Run `make build` in the checkout, then try again.\n');
  process.exit(69);
}
await import(bundle.href);
