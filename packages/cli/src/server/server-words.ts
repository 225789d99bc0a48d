/** What errors say of the server that was asked, and what to do: other things on a laptop than in a cluster. Pure. */

export interface ServerWords {
  /** In sentences: `the server at http://127.0.0.1:4180`. */
  readonly name: string;
  /** What to do where no answer comes. */
  readonly silent: string;
  /** What to do where it answers with a fault of its own. */
  readonly faulty: string;
  /** 401: the token is none of its. 403: it is, and may not do this. `said` is the server's own message. */
  refused(status: number, said: string): { readonly message: string; readonly todo: string };
}

export const START_IT = 'is `tollgate serve` running? start it with: tollgate serve --resources DIR --mock';

/** For those who meant the server of a cluster. */
export const ASK_CLUSTER = 'the server of a cluster is asked by: kubectl tollgate, or --context NAME';

export const wordsOfAddress = (url: string): ServerWords => ({
  name: `the server at ${url}`,
  silent: START_IT,
  faulty: 'see what `tollgate serve` printed; its log says more',
  refused: () => ({
    message: `the server at ${url} does not accept this token`,
    todo: `each start of \`tollgate serve\` makes a new one: use the same --state DIR as the running one; ${ASK_CLUSTER}`,
  }),
});
