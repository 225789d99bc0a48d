/** The JSONPath that printer columns use: `.a.b`, and one entry of a list chosen by a field's text. Anything missing is undefined. */
const STEP = /\.([A-Za-z_]\w*)|\[\?\(@\.(\w+)=="([^"]*)"\)\]/y;

export const readPath = (value: unknown, path: string): unknown => {
  let here = value;
  STEP.lastIndex = 0;
  while (STEP.lastIndex < path.length) {
    const at = STEP.lastIndex;
    const step = STEP.exec(path);
    if (step === null) throw new Error(`not a column path: ${path} at ${at}`);
    const [, name, field, text] = step;
    here = name === undefined ? entryWith(here, field ?? '', text ?? '') : memberOf(here, name);
  }
  return here;
};

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;

const entryWith = (value: unknown, field: string, text: string): unknown =>
  Array.isArray(value) ? value.find((entry: unknown) => memberOf(entry, field) === text) : undefined;
