/** A file that is made from sources. The path is relative to the repository's root. */
export interface GeneratedFile {
  readonly path: string;
  readonly text: string;
}
