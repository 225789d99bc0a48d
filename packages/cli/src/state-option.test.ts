import { describe, expect, it } from '@jest/globals';
import { namedStateDir } from './state-option.ts';

const home = '/home/ada';

describe('the state directory', () => {
  it('needs no name where every command finds it', () => {
    expect(namedStateDir(undefined, { env: {}, home })).toBeNull();
    expect(namedStateDir('/home/ada/.local/state/tollgate', { env: {}, home })).toBeNull();
    expect(namedStateDir(undefined, { env: { XDG_STATE_HOME: '/xdg' }, home })).toBeNull();
  });

  it('is named where an option or a variable chose it, which another shell does not know', () => {
    expect(namedStateDir('/other', { env: {}, home })).toBe('/other');
    expect(namedStateDir(undefined, { env: { TOLLGATE_STATE: '/var/tg' }, home })).toBe('/var/tg');
  });
});
