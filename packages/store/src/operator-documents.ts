import type { Transaction } from './connection.ts';

/** What the operator told the servers: the resources that hold, and the pods that carry the proxy. One row each, whole. */
export const OPERATOR_DOCUMENTS = ['resources', 'pods'] as const;
export type OperatorDocumentName = (typeof OPERATOR_DOCUMENTS)[number];

export interface OperatorDocument {
  readonly name: OperatorDocumentName;
  /** Of the content alone. */
  readonly version: string;
  /** JSON. */
  readonly document: string;
}

export interface DocumentWriting extends OperatorDocument {
  /** The caller's name. */
  readonly by: string;
}

/** The last one who writes holds; the same content again changes nothing, not even who wrote it. */
export const writeDocument = async (
  tx: Transaction,
  { name, version, document, by }: DocumentWriting,
  now: number,
): Promise<'written' | 'unchanged'> => {
  const rows = await tx.query(
    `INSERT INTO operator_document AS d (name, version, document, written_at, written_by)
     VALUES ($1, $2, $3, to_timestamp($4::double precision / 1000), $5)
     ON CONFLICT (name) DO UPDATE SET version = excluded.version, document = excluded.document,
       written_at = excluded.written_at, written_by = excluded.written_by
     WHERE d.version <> excluded.version RETURNING name`,
    [name, version, document, now, by],
  );
  return rows.length > 0 ? 'written' : 'unchanged';
};

/** Asked several times a second by every server: no document is read for it. */
export const documentVersions = async (tx: Transaction): Promise<ReadonlyMap<OperatorDocumentName, string>> => {
  const rows = await tx.query<{ name: OperatorDocumentName; version: string }>(
    'SELECT name, version FROM operator_document',
  );
  return new Map(rows.map(({ name, version }) => [name, version]));
};

/** Null: the operator never told. */
export const readDocument = async (tx: Transaction, name: OperatorDocumentName): Promise<OperatorDocument | null> => {
  const [row] = await tx.query<OperatorDocument>(
    'SELECT name, version, document FROM operator_document WHERE name = $1',
    [name],
  );
  return row ?? null;
};
