/** One thing wrong with what came through a door, and where. */
export interface Fault {
  /** `spec.limits[0].cost.max`; empty for the whole. */
  readonly path: string;
  readonly message: string;
}

/** `['spec', 'limits', 0, 'a.b']` → `spec.limits[0]["a.b"]`. */
export const pathText = (steps: readonly PropertyKey[]): string => {
  let text = '';
  for (const step of steps) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[A-Za-z_$][\w$]*$/.test(String(step))) text += text === '' ? String(step) : `.${String(step)}`;
    else text += `[${JSON.stringify(String(step))}]`;
  }
  return text;
};
