/** A start that cannot go on, with what to do about it. The CLI prints both and chooses the exit code by `code`. */
export type StandaloneErrorCode = 'config' | 'state-in-use' | 'port-in-use' | 'child-failed' | 'resources';

export class StandaloneError extends Error {
  readonly code: StandaloneErrorCode;
  readonly todo: string;

  constructor(code: StandaloneErrorCode, message: string, { todo, cause }: { todo: string; cause?: unknown }) {
    super(message, { cause });
    this.name = 'StandaloneError';
    this.code = code;
    this.todo = todo;
  }
}
