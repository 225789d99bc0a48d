/** One thing that a check says of a cluster. */

export type Severity = 'error' | 'warning' | 'info' | 'ok';

export interface Finding {
  readonly severity: Severity;
  /** What was looked at, as kubectl names it: `deployment/tollgate-server -n tollgate-system`. */
  readonly object: string;
  readonly message: string;
  /** A command to run, or what to do; null where nothing is to be done. */
  readonly hint: string | null;
}

export const finding = (severity: Severity, object: string, message: string, hint: string | null = null): Finding => ({
  severity,
  object,
  message,
  hint,
});

export const hasErrors = (findings: readonly Finding[]): boolean =>
  findings.some(({ severity }) => severity === 'error');

/** A long list in a message: the first few, and how many more. */
export const someOf = (names: readonly string[], most = 3): string =>
  names.length <= most
    ? names.join(', ')
    : `${names.slice(0, most).join(', ')} and ${String(names.length - most)} more`;
