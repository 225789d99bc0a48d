import { describe, expect, it } from '@jest/globals';
import { chooseTarget, type TargetOptions } from './choose-target.ts';

const target = (options: TargetOptions, isKubectlPlugin = false, env: Record<string, string> = {}) =>
  chooseTarget(options, { isKubectlPlugin, env });

describe('which server is asked', () => {
  it("is the laptop's for tollgate, and the cluster's for kubectl tollgate", () => {
    expect(target({})).toBe('address');
    expect(target({}, true)).toBe('cluster');
  });

  it.each([{ context: 'prod' }, { kubeconfig: 'f' }, { systemNamespace: 'tg' }, { serviceAccount: 'reader' }])(
    'is the cluster where %j says so',
    (options) => {
      expect(target(options)).toBe('cluster');
      expect(target(options, false, { TOLLGATE_SERVER_URL: 'http://127.0.0.1:4180' })).toBe('cluster');
    },
  );

  it.each([{ server: 'http://127.0.0.1:1' }, { state: 'd' }, { tokenFile: 'f' }])(
    'is no cluster where %j says so, for the plugin either',
    (options) => expect(target(options, true)).toBe('address'),
  );

  it('is the one that the environment names, if no option says another; an empty variable names none', () => {
    expect(target({}, true, { TOLLGATE_SERVER_URL: 'http://127.0.0.1:4180' })).toBe('address');
    expect(target({}, true, { TOLLGATE_SERVER_URL: '' })).toBe('cluster');
  });

  it('is asked back where both are named', () => {
    expect(() => target({ context: 'prod', state: 'd' })).toThrow(
      '--state is for a server at an address, --context for the one of a cluster',
    );
  });
});
