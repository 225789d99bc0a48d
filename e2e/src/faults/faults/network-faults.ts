/** Faults of the network between a proxy and its servers, its provider; and between a server and PostgreSQL. */
import type { LinkChange, TcpFaultProxy } from '@tollgate/testkit';
import type { Dice } from '../../testing/dice.ts';
import { pause } from '../rig/wait.ts';
import { anyProxy, anyServer, between, untilAllServe, untilServes, type Fault, type Scene } from './scene.ts';

interface Harm {
  readonly name: string;
  readonly change: (dice: Dice) => LinkChange;
  /** Open connections are cut first, so that new ones meet the fault from their first byte. */
  readonly cutsFirst?: boolean;
}

const HARMS: readonly Harm[] = [
  {
    name: 'a black hole both ways',
    change: () => ({ up: { isHeld: true }, down: { isHeld: true }, accept: 'silence' }),
  },
  { name: 'a black hole on the way there', change: () => ({ up: { isHeld: true } }) },
  { name: 'a black hole on the way back', change: () => ({ down: { isHeld: true } }) },
  { name: 'half a second late', change: () => ({ up: { delayMs: 250 }, down: { delayMs: 250 } }) },
  { name: 'a trickle', change: () => ({ up: { bytesPerSecond: 4_000 }, down: { bytesPerSecond: 4_000 } }) },
  { name: 'refused connections', change: () => ({ accept: 'reset' }), cutsFirst: true },
  {
    name: 'cut after some bytes of a question',
    change: (dice) => ({ up: { cutAfterBytes: 1 + dice.roll(3_000) } }),
    cutsFirst: true,
  },
  {
    name: 'cut after some bytes of an answer',
    change: (dice) => ({ down: { cutAfterBytes: 1 + dice.roll(3_000) }, cut: dice.percent(50) ? 'reset' : 'close' }),
    cutsFirst: true,
  },
  { name: 'half open', change: () => ({ isHalfOpen: true }) },
];

const harmed = (row: number, of: string, { name, change, cutsFirst = false }: Harm, linkOf: LinkOf): Fault => ({
  row,
  lane: linkOf === toPostgres ? 'centre' : 'edge',
  losesAnswers: linkOf === toProvider,
  name: `${of}: ${name}`,
  run: async (scene) => {
    const { link, settle } = linkOf(scene);
    link.set(change(scene.dice));
    if (cutsFirst) link.cutAll();
    await pause(between(scene, 700, 3_500));
    link.heal();
    // What a real network would have forgotten by now.
    if (scene.dice.percent(50)) link.cutAll();
    await settle();
  },
});

type LinkOf = (scene: Scene) => { readonly link: TcpFaultProxy; readonly settle: () => Promise<void> };

const toServer: LinkOf = (scene) => {
  const proxy = anyProxy(scene);
  return { link: proxy.toServer, settle: () => untilServes(scene, proxy) };
};
const toProvider: LinkOf = (scene) => {
  const proxy = anyProxy(scene);
  return { link: proxy.toProvider, settle: () => untilServes(scene, proxy) };
};
const toPostgres: LinkOf = (scene) => ({ link: anyServer(scene).toPostgres, settle: () => untilAllServe(scene) });

export const NETWORK_FAULTS: readonly Fault[] = [
  ...HARMS.map((harm) => harmed(17, 'proxy to server', harm, toServer)),
  ...HARMS.map((harm) => harmed(17, 'proxy to provider', harm, toProvider)),
  ...HARMS.map((harm) => harmed(17, 'server to PostgreSQL', harm, toPostgres)),
];
