/** The injector's settings, for a process that only compares pods with them. */
import { loadSettings } from '@tollgate/runtime/settings';
import { InjectionSettingsSchema, type InjectionSettingsFile } from './injection/settings.ts';

/** Throws a `ConfigFault` that names every fault. */
export const readInjectionSettings = (file: string): InjectionSettingsFile =>
  loadSettings(InjectionSettingsSchema, { env: {}, file });
