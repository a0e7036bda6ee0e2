/** One sample of Prometheus' text format. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LINE = /^([a-z_:][\w:]*)(?:\{(.*)\})? +([+-]?(?:inf|nan|[\d.]\S*))/i;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const ESCAPED: Readonly<Record<string, string>> = { '\\n': '\n', '\\"': '"', '\\\\': '\\' };

/**
 * Reads Prometheus' text format (version 0.0.4) and what it shares with OpenMetrics: comments, timestamps and exemplars
 * are passed over, and so are lines that are neither.
 */
export function parseMetrics(text: string): Sample[] {
  return text.split('\n').flatMap((line) => {
    const [, name, labels = '', value = ''] = LINE.exec(withoutExemplar(line)) ?? [];
    if (name === undefined) return [];
    return [{ name, labels: labelsOf(labels), value: numberOf(value) }];
  });
}

/** An OpenMetrics exemplar comes after ` # ` and has labels of its own. */
function withoutExemplar(line: string): string {
  const at = line.indexOf(' # {');
  return at < 0 ? line : line.slice(0, at);
}

function labelsOf(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(LABEL)].map(([, name = '', value = '']) => [
      name,
      value.replace(/\\[n"\\]/g, (text) => ESCAPED[text] ?? text),
    ]),
  );
}

function numberOf(text: string): number {
  if (/^[+-]?inf$/i.test(text)) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return Number(text);
}
