/** The database answers, and will not let us in however long we wait: someone has to change a setting. */
export class StoreRefused extends Error {
  readonly code = 'store_refused';
  /** What to do about it, in words for whoever runs the server. */
  readonly todo: string;

  constructor(message: string, { todo, cause }: { todo: string; cause?: unknown }) {
    super(message, { cause });
    this.name = 'StoreRefused';
    this.todo = todo;
  }
}
