// The server and the page show a credential the same way.

/**
 * The `Authorization` of a credential: `id:secret`, both form-urlencoded in it (RFC 6749, section 2.3.1), or a client
 * assertion.
 *
 * @param {string} credential
 */
export function authorizationOf(credential) {
  const colon = credential.indexOf(':');
  if (colon < 0) return `Bearer ${credential}`;
  const halves = [credential.slice(0, colon), credential.slice(colon + 1)];
  return `Basic ${btoa(halves.map(encodeURIComponent).join(':'))}`;
}
