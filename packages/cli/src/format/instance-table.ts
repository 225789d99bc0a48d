/** The lives of proxies that have not closed their leases. */
import { printAge } from './age.ts';
import { printTable } from './table.ts';

export interface InstanceLine {
  readonly instance: string;
  readonly version: string;
  /** `namespace/workload`, and the pod where one is known. */
  readonly subject: string;
  /** Milliseconds since 1970. */
  readonly helloAt: number;
  readonly epochs: number;
}

export const printInstances = (lines: readonly InstanceLine[], now: number): string =>
  printTable(
    ['INSTANCE', 'SUBJECT', 'VERSION', 'HELLO', 'EPOCHS'],
    lines.map(({ instance, subject, version, helloAt, epochs }) => [
      instance,
      subject,
      version,
      printAge(now - helloAt),
      String(epochs),
    ]),
  );
