import { context } from '@opentelemetry/api';
import { getStringListFromEnv } from '@opentelemetry/core';
import { ATTR } from './names.ts';
import { sessionOf } from './session-context.ts';

/** What is looked at of a request that this process makes. */
interface OutgoingRequest {
  readonly origin: string;
  readonly addHeader?: (name: string, value: string) => void;
}

/**
 * Tells the services that a request's work calls whose it is (W3C baggage). Others learn nothing of who comes and goes here:
 * only the hosts that `CURFEW_BAGGAGE_HOSTS` names are told, `payments,.shop.svc.cluster.local` (a dot: every host below).
 */
export function sessionBaggage(): (_span: unknown, request: OutgoingRequest) => void {
  const hosts = getStringListFromEnv('CURFEW_BAGGAGE_HOSTS') ?? [];
  const isTold = (host: string) => hosts.some((one) => (one.startsWith('.') ? host.endsWith(one) : host === one));
  return (_span, request) => {
    const session = sessionOf(context.active());
    if (session === undefined || !isTold(URL.parse(request.origin)?.hostname ?? '')) return;
    const told = [ATTR.session, ATTR.sessionVersion].map((name) => `${name}=${session[name]}`);
    request.addHeader?.('baggage', told.join(','));
  };
}
