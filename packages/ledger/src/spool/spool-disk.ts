/** The little that the spool asks of a disk. Adapters: `file-disk.ts`, and `memory-disk.ts` for tests and the simulator. */
export interface SpoolDisk {
  /** Opens a file for reading and appending; makes it where there is none. */
  open(name: string): SpoolFile;
  /** Of all files, in any order. */
  names(): readonly string[];
  /** Replaces `to`. Files that are open stay open under their new name. */
  rename(from: string, to: string): void;
  /** A file that is gone already is no fault. Open files can be read on. */
  remove(name: string): void;
  /** Bytes that can still be written; null = not known. */
  room(): number | null;
  /** Makes the folder again, locked, where it was lost; throws where another process has it. */
  renew(): void;
  /** Lets go of the folder. */
  close(): void;
}

export interface SpoolFile {
  read(): Buffer;
  /** Exactly so many bytes from there; throws where the file is shorter. */
  readAt(at: number, length: number): Buffer;
  /** One write. Throws unless every byte went in; some may have. */
  append(bytes: Uint8Array): void;
  truncate(length: number): void;
  /** False: what is written here is found by nobody, since the file's name leads elsewhere or nowhere. */
  isThere(): boolean;
  close(): void;
}
