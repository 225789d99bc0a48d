/** What each annotation that changes how a pod is injected may say and does: told in warnings, and in docs/annotations.md. */
import { LOG_LEVELS } from '@tollgate/runtime';
import { PROVIDERS } from './facts.ts';
import type { SETTING } from './names.ts';

export interface SettingMeaning {
  /** Follows "must be". */
  readonly expected: string;
  readonly effect: string;
  /** What counts without it. */
  readonly otherwise: string;
  /** A choice of what is covered has no effect where the namespace requires injection. */
  readonly isChoice?: true;
}

/** The least with which a proxy starts before its startup probe gives up, and then keeps running. */
export const LEAST = { cpuLimit: '20m', memoryLimit: '64Mi' } as const;

const PORT = 'a port from 1024 to 65535';
const QUANTITY = 'a quantity such as 50m or 128Mi';
const ofSettings = (name: string): string => `\`injection.settings.${name}\` of the chart`;

export const SETTING_MEANINGS: Readonly<Record<keyof typeof SETTING, SettingMeaning>> = {
  providers: {
    expected: `some of ${PROVIDERS.join(', ')}, separated by commas`,
    effect: 'whose base URLs are set in the applications',
    otherwise: ofSettings('providers'),
    isChoice: true,
  },
  containers: {
    expected: "names of the pod's containers, separated by commas",
    effect: 'which containers get them',
    otherwise: 'all but those of a mesh',
    isChoice: true,
  },
  rewriteEnv: {
    expected: '"true" or "false"',
    effect: '"false": the proxy is put in, and no variable is set; point the application at it by hand',
    otherwise: '"true"',
    isChoice: true,
  },
  logLevel: {
    expected: `one of ${LOG_LEVELS.join(', ')}`,
    effect: 'what the proxy logs',
    otherwise: ofSettings('logLevel'),
  },
  port: {
    expected: PORT,
    effect: 'where applications find the proxy, on 127.0.0.1; needed where the pod uses the usual port itself',
    otherwise: ofSettings('port'),
  },
  adminPort: {
    expected: PORT,
    effect: 'probes and metrics of the proxy',
    otherwise: `${ofSettings('adminPort')}; one less beside Linkerd's proxy`,
  },
  cpuRequest: {
    expected: QUANTITY,
    effect: 'CPU that is set aside for the proxy',
    otherwise: ofSettings('resources.cpuRequest'),
  },
  cpuLimit: {
    expected: QUANTITY,
    effect: `CPU that it gets at most; ${LEAST.cpuLimit} or more`,
    otherwise: ofSettings('resources.cpuLimit'),
  },
  memoryRequest: {
    expected: QUANTITY,
    effect: 'memory that is set aside for the proxy',
    otherwise: ofSettings('resources.memoryRequest'),
  },
  memoryLimit: {
    expected: QUANTITY,
    effect: `memory that it gets at most; ${LEAST.memoryLimit} or more`,
    otherwise: ofSettings('resources.memoryLimit'),
  },
};
