/**
 * Lends jest's realm the HTTP dispatcher of Node's own. Jest runs tests in a second realm whose `fetch` belongs to the
 * first; @google/genai looks for the dispatcher on its own global and gives up without it.
 */
const DISPATCHER = Symbol.for('undici.globalDispatcher.1');

export const lendOuterDispatcher = (): void => {
  if (Reflect.has(globalThis, DISPATCHER)) return;
  void new Headers(); // Node makes its dispatcher when HTTP classes are first used
  const outer: unknown = Reflect.apply(
    Reflect.construct(fetch.constructor as FunctionConstructor, ['return globalThis']),
    undefined,
    [],
  );
  if (typeof outer !== 'object' || outer === null) return;
  Reflect.set(globalThis, DISPATCHER, Reflect.get(outer, DISPATCHER));
};
