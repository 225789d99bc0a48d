export { openFileDisk } from './file-disk.ts';
export { type KeptEvent, type Life, type SeqRange, type Tightened } from './journal.ts';
export { makeFolder } from './make-folder.ts';
export { makeMemoryDisk, type MemoryDisk } from './memory-disk.ts';
export { type SpoolDisk, type SpoolFile } from './spool-disk.ts';
export { SpoolFault } from './spool-fault.ts';
export {
  openSpool,
  type Spool,
  type SpoolDeps,
  type SpoolOpening,
  type SpoolStats,
  type SpoolTrouble,
} from './spool.ts';
