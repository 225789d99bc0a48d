/** A provider that hangs, resets, lies about what was used, answers nonsense, is busy. */
import type { Behaviour } from '@tollgate/testkit';
import type { Dice } from '../../testing/dice.ts';
import { pause } from '../rig/wait.ts';
import { between, untilAllServe, type Fault } from './scene.ts';

const CASES: readonly (readonly [string, (dice: Dice) => Behaviour])[] = [
  ['hangs before its head', () => ({ hang: 'head' })],
  ['hangs in its answer', (dice) => ({ hang: dice.roll(5) })],
  ['resets at some byte', (dice) => ({ abortAfterBytes: dice.roll(2_000), abortKind: 'reset' })],
  ['closes at some byte', (dice) => ({ abortAfterBytes: dice.roll(2_000), abortKind: 'close' })],
  ['is busy', () => ({ status: 429, retryAfter: '1' })],
  ['fails', (dice) => ({ status: dice.pick([500, 502, 503]) })],
  ['answers an error that is no JSON', () => ({ status: 500, errorBody: '<html>oh no', errorType: 'text/html' })],
  ['says nothing of usage', () => ({ usage: 'missing' })],
  ['says that usage is null', () => ({ usage: 'null' })],
  ['says that usage is negative', () => ({ usage: 'negative' })],
  ['says that usage is infinite', () => ({ usage: 'infinite' })],
  ['says usage in words', () => ({ usage: 'text' })],
  ['says it in fractions', () => ({ usage: 'fraction' })],
  ['says usage twice', () => ({ usage: 'twice' })],
  ['puts usage into its text', () => ({ forge: true })],
  ['breaks its own stream off', (dice) => ({ errorAfterChunks: dice.roll(6) })],
  ['cuts its characters in two', () => ({ split: 'characters' })],
  ['keeps silent between its chunks', () => ({ chunkDelayMs: 400 })],
];

const behaves = (name: string, behaviour: (dice: Dice) => Behaviour): Fault => ({
  row: 22,
  lane: 'edge',
  name: `the provider ${name}`,
  run: async (scene) => {
    const { provider } = scene.rig;
    const withdraw = provider.script({ behaviour: behaviour(scene.dice) });
    await pause(between(scene, 600, 1_600));
    withdraw();
    await untilAllServe(scene);
  },
});

export const PROVIDER_FAULTS: readonly Fault[] = CASES.map(([name, behaviour]) => behaves(name, behaviour));
