/**
 * Why a request failed, in words.
 *
 * @param {Response | undefined} answer undefined where there was none
 * @returns {Promise<string>}
 */
export async function failureOf(answer) {
  if (answer === undefined) return 'The console does not answer.';
  /** @type {{ title?: string, detail?: string }} */
  const { title, detail } = await answer.json().catch(() => ({}));
  return [title ?? `The console answers ${answer.status}.`, detail].filter(Boolean).join(' ');
}
