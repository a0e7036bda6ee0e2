import { CurfewError } from '@curfew/contracts';

/** Hears an operation of the store (`sessions.read`), how long it took, ms, and whether the store answered. */
export type OnOperation = (operation: string, durationMs: number, ok: boolean) => void;

/** The same store, each of whose operations is told of once it is over. All its methods return promises. */
export function measured<Store extends object>(name: string, store: Store, onOperation: OnOperation): Store {
  const timed = async (operation: string, call: () => unknown): Promise<unknown> => {
    const beganAt = performance.now();
    let ok = true;
    try {
      return await call();
    } catch (error) {
      ok = !(error instanceof CurfewError && error.code === 'store_unavailable');
      throw error;
    } finally {
      onOperation(`${name}.${operation}`, performance.now() - beganAt, ok);
    }
  };
  return new Proxy(store, {
    get: (target, member) => {
      const method: unknown = Reflect.get(target, member);
      if (typeof method !== 'function') return method;
      return (...parameters: unknown[]) => timed(String(member), () => Reflect.apply(method, target, parameters));
    },
  });
}
