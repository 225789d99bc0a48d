/** The cluster's API over one kept connection, for what is asked hundreds of times: a kubectl each would measure kubectl. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export interface DirectApi {
  get(path: string): Promise<Answer>;
  post(path: string, body: object): Promise<Answer>;
  mergePatch(path: string, body: object): Promise<Answer>;
  close(): Promise<void>;
}

const ADDRESS = /127\.0\.0\.1:\d+/;

/** Rejects where `kubectl proxy` does not come to serve. */
export const openDirectApi = async (): Promise<DirectApi> => {
  const kubeconfig = process.env['KUBECONFIG'];
  if (kubeconfig === undefined) throw new Error('KUBECONFIG names no cluster: run "make e2e"');
  const args = ['--kubeconfig', kubeconfig, 'proxy', '--port=0'];
  const child = spawn(process.env['TOLLGATE_KUBECTL'] ?? 'kubectl', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = once(child, 'exit');
  const first = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line').then(([line]) => String(line)),
    gone.then(() => 'kubectl proxy has ended'),
  ]);
  const [address] = ADDRESS.exec(first) ?? [];
  if (address === undefined) throw new Error(`kubectl proxy does not say where it serves: ${first}`);
  const ask = async (path: string, init: RequestInit): Promise<Answer> => {
    const answer = await fetch(`http://${address}${path}`, init);
    return { status: answer.status, text: await answer.text() };
  };
  const send = (method: string, type: string, path: string, body: object): Promise<Answer> =>
    ask(path, { method, headers: { 'content-type': type }, body: JSON.stringify(body) });
  return {
    get: (path) => ask(path, {}),
    post: (path, body) => send('POST', 'application/json', path, body),
    mergePatch: (path, body) => send('PATCH', 'application/merge-patch+json', path, body),
    close: async () => {
      child.kill();
      await gone;
    },
  };
};
