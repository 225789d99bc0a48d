#!/usr/bin/env node
// A file of its own: by its name the command knows that it is kubectl's plugin, and that a cluster is meant.
await import('./tollgate.js');
