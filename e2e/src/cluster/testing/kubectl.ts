/** kubectl against the cluster that KUBECONFIG names: the stories do what a user does. */
import { execFile } from 'node:child_process';

export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const MOST_BYTES = 64 * 1024 * 1024;

/** Resolves however it ends: a refusal is often what a story is about. */
export const tryKubectl = (args: readonly string[], input?: string): Promise<Said> => {
  const kubeconfig = process.env['KUBECONFIG'];
  if (kubeconfig === undefined) throw new Error('KUBECONFIG names no cluster: run "make e2e"');
  return new Promise((resolve) => {
    const child = execFile(
      process.env['TOLLGATE_KUBECTL'] ?? 'kubectl',
      ['--kubeconfig', kubeconfig, ...args],
      { maxBuffer: MOST_BYTES },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        resolve({ code, stdout, stderr: stderr || (error?.message ?? '') });
      },
    );
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input ?? '');
  });
};

/** What it printed; rejects with what it complained of. */
export const kubectl = async (args: readonly string[], input?: string): Promise<string> => {
  const { code, stdout, stderr } = await tryKubectl(args, input);
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
};

export const apply = (...objects: readonly object[]): Promise<string> =>
  kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));

export const getJson = async <T>(...args: readonly string[]): Promise<T> =>
  JSON.parse(await kubectl([...args, '-o', 'json'])) as T;
