import autocannon from 'autocannon';

type Headers = Readonly<Record<string, string>>;

/**
 * Sends requests over connections that are kept, one after the other on each, each connection for sessions of its own.
 *
 * @param sessions headers of each session's requests
 * @returns how long each request took, ns, and how many were answered a second.
 */
export async function load(url: string, sessions: readonly Headers[], connections: number, amount: number) {
  const tookNs: number[] = [];
  const from = performance.now();
  let until = from;
  let next = 0;
  const setupClient = (client: autocannon.Client) => {
    const first = next++;
    const own = sessions.filter((_, i) => i % connections === first);
    client.setRequests(own.map((headers) => ({ headers })));
  };
  const done = Promise.withResolvers<autocannon.Result>();
  const run = autocannon({ url, connections, amount, setupClient }, (error, result) =>
    error ? done.reject(error) : done.resolve(result),
  );
  run.on('response', (_client, _status, _bytes, tookMs) => {
    tookNs.push(tookMs * 1e6);
    until = performance.now();
  });
  const { non2xx, errors, timeouts } = await done.promise;
  if (non2xx + errors + timeouts > 0 || tookNs.length !== amount)
    throw new Error(`${non2xx} of ${tookNs.length} requests were refused, ${errors} failed`);
  return { tookNs, perSecond: (amount * 1000) / (until - from) };
}
