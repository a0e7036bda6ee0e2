/**
 * The promise, or a rejection once the time is over. What waits in a socket while this process is busy is read before its
 * time is called over.
 */
export function within<T>(limitMs: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const over = () => reject(new Error(`no answer within ${limitMs} ms`));
    const timer = setTimeout(() => setImmediate(over), limitMs).unref();
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
