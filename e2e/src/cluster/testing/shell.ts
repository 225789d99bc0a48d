/** What the chart's notes print for a shell, pasted as it stands into one that has this cluster's tools and kubeconfig. */
import { spawn } from 'node:child_process';
import { delimiter, dirname, isAbsolute } from 'node:path';

export interface Heard {
  readonly stdout: string;
  /** From its start until it had said enough, in milliseconds. */
  readonly tookMs: number;
}

const LIMIT_MS = 150_000;

/** What it printed; rejects with what it complained of. */
export const inShell = async (script: string): Promise<string> => (await listen(script, null, LIMIT_MS)).stdout;

/** Ends a script that would go on for ever, such as a watch, once it has printed enough; rejects where it has not in time. */
export const watchInShell = (
  script: string,
  isEnough: (stdout: string) => boolean,
  limitMs = LIMIT_MS,
): Promise<Heard> => listen(script, isEnough, limitMs);

const environment = (): NodeJS.ProcessEnv => {
  const tools = [process.env['TOLLGATE_KUBECTL'], process.env['TOLLGATE_HELM']].filter((tool) => tool !== undefined);
  const folders = tools.filter((tool) => isAbsolute(tool)).map((tool) => dirname(tool));
  return { ...process.env, PATH: [...folders, process.env['PATH'] ?? ''].join(delimiter) };
};

const listen = (script: string, isEnough: ((stdout: string) => boolean) | null, limitMs: number): Promise<Heard> =>
  new Promise((resolve, reject) => {
    const began = performance.now();
    // A group of its own, so that what the shell has started ends with it.
    const child = spawn('sh', ['-c', script], {
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let stdout = '';
    let stderr = '';
    const end = (): void => {
      clearTimeout(timer);
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
        process.kill(-child.pid, 'SIGTERM');
    };
    const fail = (why: string): void => {
      end();
      reject(new Error(`${script}\n${why}; it said:\n${stdout}${stderr}`));
    };
    const timer = setTimeout(() => fail(`not enough after ${String(limitMs / 1000)} s`), limitMs);
    const hear = (): void => {
      if (isEnough?.(stdout) !== true) return;
      end();
      resolve({ stdout, tookMs: performance.now() - began });
    };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      hear();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', (error) => fail(String(error)));
    child.on('close', (code) => {
      clearTimeout(timer);
      if (isEnough === null && code === 0) resolve({ stdout, tookMs: performance.now() - began });
      else fail(`it ended with ${String(code)}`);
    });
  });
