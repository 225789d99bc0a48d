/** The injector's settings file: read at the start, and again whenever it changes, without a restart. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ConfigFault, VERSION, type Logger, type Timers } from '@tollgate/runtime';
import { loadSettings } from '@tollgate/runtime/settings';
import { pauseWith } from '../kube/pause.ts';
import { InjectionSettingsSchema, type InjectionSettings, type InjectionSettingsFile } from '../injection/settings.ts';

/** @throws ConfigFault with every fault of the file. */
export const loadInjectionSettings = (file: string): InjectionSettings =>
  namedSettings(loadSettings(InjectionSettingsSchema, { env: {}, file }));

/** With the version and the hash that go into the status annotation of a pod. */
export const namedSettings = (settings: InjectionSettingsFile): InjectionSettings => ({
  ...settings,
  version: VERSION,
  configHash: hashOf(settings),
});

/** Of all that changes what is injected. Twelve digits tell apart what one installation has had. */
const hashOf = (settings: object): string =>
  createHash('sha256').update(JSON.stringify(settings)).digest('hex').slice(0, 12);

export interface SettingsWatch {
  readonly current: () => InjectionSettings;
  /** Looks now and then, until aborted. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

export interface SettingsWatchDeps {
  readonly file: string;
  readonly timers: Timers;
  readonly log: Logger;
  /** The file was found changed and faulty: the former settings stay in force. */
  readonly onFault: () => void;
}

/** A ConfigMap is replaced by a link, which file watchers lose sight of; a small file is read as easily. */
const LOOK_EVERY_MS = 5_000;

export const watchInjectionSettings = ({ file, timers, log, onFault }: SettingsWatchDeps): SettingsWatch => {
  let current = loadInjectionSettings(file);
  let seen = '';

  const look = async (): Promise<void> => {
    const text = await readFile(file, 'utf8');
    if (text === seen) return;
    seen = text;
    const next = loadInjectionSettings(file);
    if (next.configHash === current.configHash) return;
    current = next;
    log.info({ file, version: next.configHash }, 'injection settings changed: new pods get them');
  };

  return {
    current: () => current,
    run: async (signal) => {
      const pause = pauseWith(timers);
      while (!signal.aborted) {
        await look().catch((err: unknown) => {
          onFault();
          const faults = err instanceof ConfigFault ? err.faults.map(({ name, message }) => `${name}: ${message}`) : [];
          log.error({ file, err, faults }, 'injection settings are faulty: the former ones stay in force');
        });
        await pause(LOOK_EVERY_MS, signal).catch(() => undefined);
      }
    },
  };
};
