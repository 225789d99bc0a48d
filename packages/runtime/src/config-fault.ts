/** Bad configuration, with every fault at once. `main.ts` prints it and exits 64 (EX_USAGE) before a port is opened. */

export interface SettingFault {
  /** The setting's name as its owner writes it: an environment variable or a key of the file. Never its value. */
  readonly name: string;
  readonly message: string;
}

export const CONFIG_EXIT_CODE = 64;

export class ConfigFault extends Error {
  readonly code = 'TOLLGATE_CONFIG';
  readonly exitCode = CONFIG_EXIT_CODE;
  readonly faults: readonly SettingFault[];

  constructor(faults: readonly SettingFault[], options?: { cause?: unknown }) {
    super(faultLines(faults).join('\n'), options);
    this.name = 'ConfigFault';
    this.faults = faults;
  }
}

const faultLines = (faults: readonly SettingFault[]): string[] => [
  faults.length === 1 ? 'The configuration has a fault:' : `The configuration has ${faults.length} faults:`,
  ...faults.map(({ name, message }) => `  ${name}: ${message}`),
];
