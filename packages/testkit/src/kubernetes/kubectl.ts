/** kubectl of the version that the control plane has. */
import { execFile } from 'node:child_process';
import { programPath } from './cluster-programs.ts';

/** What it printed; rejects with what it complained of. */
export const runKubectl = (kubeconfig: string, args: readonly string[], input?: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = execFile(
      programPath('kubectl'),
      ['--kubeconfig', kubeconfig, ...args],
      { maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`kubectl ${args.join(' ')}: ${stderr || error.message}`, { cause: error }));
      },
    );
    child.stdin?.end(input ?? '');
  });
