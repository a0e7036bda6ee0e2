import type { History, Outcome } from './history.ts';
import type { Summary } from './summary.ts';

const WIDTH = 1200;
const LEFT = 190;
const RIGHT = 20;
const PANEL = 170;
const LANE = 14;
const GAP = 46;

/** From the bottom of the stack to its top. */
const SERIES: readonly { readonly outcome: Outcome; readonly colour: string; readonly name: string }[] = [
  { outcome: 'accepted', colour: '#2f9e6e', name: 'accepted, proven' },
  { outcome: 'session_revoked', colour: '#c9483f', name: 'revoked' },
  { outcome: 'session_stale', colour: '#e39b3b', name: 'stale' },
  { outcome: 'unproven', colour: '#8fb8d8', name: 'accepted unproven (lenient)' },
  { outcome: 'view_stale', colour: '#8a8fa0', name: '503 view_stale (strict)' },
  { outcome: 'not_ready', colour: '#c6c8d2', name: '503 not_ready' },
];

const escaped = (text: string): string => text.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
const text = (x: number, y: number, words: string, more = ''): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${escaped(words)}</text>`;
const rect = (x: number, y: number, width: number, height: number, more: string): string =>
  `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${width.toFixed(1)}" height="${height.toFixed(1)}" ${more}/>`;

/** A picture of a run (SVG): decisions by outcome, staleness against the bound, and every fault, over time. */
export function chartOf(history: History, { seconds }: Summary, title: string): string {
  const { from, to, boundMs, faults } = history;
  const kinds = [...new Set(faults.map(({ kind }) => kind))].sort();
  const x = (at: number) => LEFT + ((at - from) / (to - from)) * (WIDTH - LEFT - RIGHT);
  const secondWidth = x(from + 1000) - x(from);
  const decisionsTop = 70;
  const stalenessTop = decisionsTop + PANEL + GAP;
  const faultsTop = stalenessTop + PANEL + GAP;
  const height = faultsTop + kinds.length * LANE + 50;

  const body = [
    text(LEFT, 24, title, 'font-size="16" font-weight="600"'),
    ...legend(),
    ...panel(decisionsTop, 'decisions a second', stack(seconds, secondWidth, decisionsTop)),
    ...panel(stalenessTop, 'staleness, ms', staleness(seconds, secondWidth, stalenessTop, boundMs)),
    text(8, faultsTop - 8, 'faults', 'font-weight="600"'),
    ...kinds.map((kind, lane) => text(8, faultsTop + lane * LANE + 10, kind, 'font-size="11"')),
    ...faults.map(({ kind, target, from: begin, to: end }) => {
      const y = faultsTop + kinds.indexOf(kind) * LANE + 2;
      const bar = rect(x(begin), y, Math.max(2, x(end) - x(begin)), LANE - 4, 'fill="#5b4b8a" rx="2"');
      return `<g>${bar}<title>${escaped(`${kind}: ${target}, ${((end - begin) / 1000).toFixed(1)} s`)}</title></g>`;
    }),
    ...axis(from, to, x, decisionsTop, faultsTop + kinds.length * LANE),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="#222">
<rect width="100%" height="100%" fill="#fff"/>
${body.join('\n')}
</svg>
`;
}

function legend(): string[] {
  let at = LEFT;
  return SERIES.flatMap(({ colour, name }) => {
    const begin = at;
    at += 26 + name.length * 6.6;
    return [rect(begin, 38, 11, 11, `fill="${colour}"`), text(begin + 16, 48, name)];
  });
}

const panel = (top: number, name: string, content: readonly string[]): string[] => [
  text(8, top + 12, name, 'font-weight="600"'),
  rect(LEFT, top, WIDTH - LEFT - RIGHT, PANEL, 'fill="#f6f6f8"'),
  ...content,
];

function stack(seconds: Summary['seconds'], width: number, top: number): string[] {
  const totals = seconds.map(({ outcomes }) => SERIES.reduce((sum, { outcome }) => sum + (outcomes[outcome] ?? 0), 0));
  const most = Math.max(1, ...totals);
  const bars = seconds.flatMap(({ outcomes }, second) => {
    let y = top + PANEL;
    return SERIES.flatMap(({ outcome, colour }) => {
      const height = ((outcomes[outcome] ?? 0) / most) * PANEL;
      if (height === 0) return [];
      y -= height;
      return [rect(LEFT + second * width, y, width + 0.3, height, `fill="${colour}"`)];
    });
  });
  return [...bars, text(LEFT - 8, top + 10, `${most}`, 'text-anchor="end"')];
}

function staleness(seconds: Summary['seconds'], width: number, top: number, boundMs: number): string[] {
  const most = Math.max(boundMs * 1.2, ...seconds.map(({ stalenessMs }) => stalenessMs));
  const y = (ms: number) => top + PANEL - (ms / most) * PANEL;
  const points = seconds.map(
    ({ stalenessMs }, second) => `${(LEFT + (second + 0.5) * width).toFixed(1)},${y(stalenessMs).toFixed(1)}`,
  );
  const bound = `x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(boundMs).toFixed(1)}" y2="${y(boundMs).toFixed(1)}"`;
  return [
    `<line ${bound} stroke="#c9483f" stroke-width="1.5" stroke-dasharray="6 4"/>`,
    text(LEFT - 8, y(boundMs) + 4, `bound ${boundMs}`, 'text-anchor="end" fill="#c9483f"'),
    `<polyline points="${points.join(' ')}" fill="none" stroke="#1f5fa8" stroke-width="1.5"/>`,
  ];
}

function axis(from: number, to: number, x: (at: number) => number, top: number, bottom: number): string[] {
  const stepMs =
    [1, 5, 10, 30, 60, 300, 600].map((s) => s * 1000).find((step) => (to - from) / step <= 24) ?? 1_800_000;
  const lines: string[] = [];
  for (let at = from; at <= to; at += stepMs) {
    const place = x(at).toFixed(1);
    lines.push(`<line x1="${place}" x2="${place}" y1="${top}" y2="${bottom}" stroke="#000" stroke-opacity="0.07"/>`);
    lines.push(text(x(at), bottom + 18, `${(at - from) / 1000} s`, 'text-anchor="middle"'));
  }
  return lines;
}
