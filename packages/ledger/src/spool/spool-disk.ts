/** The little that the spool asks of a disk. Adapters: `file-disk.ts`, and `memory-disk.ts` for tests and the simulator. */
export interface SpoolDisk {
  /** Opens a file for reading and appending; makes it where there is none. */
  open(name: string): SpoolFile;
  exists(name: string): boolean;
  /** Replaces `to`. Files that are open stay open under their new name. */
  rename(from: string, to: string): void;
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
  close(): void;
}
