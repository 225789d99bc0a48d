import { describe, expect, it } from '@jest/globals';
import { KubeFault } from '@tollgate/operator/kube';
import { named, RIGHTS } from './way-errors.ts';

const refusal = new KubeFault({ status: 403, reason: 'Forbidden', message: 'forbidden' });

describe('a right that is missing on the way to the server', () => {
  it.each([
    [RIGHTS.find('tg'), 'you may not list Deployments in namespace tg', 'list on deployments.apps;'],
    [RIGHTS.pods('tg'), "you may not list the server's pods in namespace tg", 'list on pods;'],
    [
      RIGHTS.token({ namespace: 'shop', name: 'default' }),
      'you may not ask for a token of ServiceAccount shop/default',
      'create on serviceaccounts/token;',
    ],
    [
      RIGHTS.forward('tg'),
      "you may not forward a port of the server's pod in namespace tg",
      'get and create on pods/portforward;',
    ],
  ])('is named as a Role would have it: %j', (right, message, todo) => {
    expect(named(refusal, right)).toMatchObject({
      name: 'CliError',
      message: expect.stringContaining(message),
      todo: expect.stringContaining(todo),
    });
  });

  it('is not what another fault is about', () => {
    const gone = new KubeFault({ status: 404, reason: 'NotFound', message: 'gone' });
    expect(named(gone, RIGHTS.find('tg'))).toBe(gone);
  });
});
