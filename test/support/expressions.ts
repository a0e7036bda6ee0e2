import { readdirSync, readFileSync } from 'node:fs';
import { inRoot } from '../../infra/local/paths.mjs';
import type { Rule } from './prometheus.ts';

/** An expression that somebody relies on, and who: a panel, or a rule. */
export interface Expression {
  readonly of: string;
  readonly expression: string;
}

interface Dashboard {
  readonly uid: string;
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly query: { readonly query: string } }[];
  };
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
}

/** What Grafana puts in the place of its variables, where every service is chosen. */
const VARIABLES: Readonly<Record<string, string>> = { $service: '(orders|payments)', $__rate_interval: '1m' };

/** Every expression of a dashboard of infra/grafana, and the metrics by which it lists its variables. */
export const dashboardExpressions = (): Expression[] =>
  readdirSync(inRoot('infra/grafana/dashboards')).flatMap((file) => {
    const dashboard: Dashboard = JSON.parse(readFileSync(inRoot('infra/grafana/dashboards', file), 'utf8'));
    const { uid, panels, templating } = dashboard;
    return [
      ...templating.list.map(({ name, query: { query } }) => ({
        of: `${uid}: $${name}`,
        expression: /^label_values\((.+), \w+\)$/.exec(query)?.[1] ?? query,
      })),
      ...panels.flatMap(({ title, targets }) =>
        targets.map(({ expr }) => ({
          of: `${uid}: ${title}`,
          expression: expr.replaceAll(/\$\w+/g, (variable) => VARIABLES[variable] ?? variable),
        })),
      ),
    ];
  });

/**
 * The expressions of rules. Of an alert it is each side that is compared with a number, and not the comparison: it must
 * be there while nothing is wrong.
 */
export const ruleExpressions = (rules: readonly Rule[]): Expression[] =>
  rules.flatMap(({ type, name, query }) =>
    type === 'recording'
      ? [{ of: name, expression: query }]
      : query.split(/ and /).map((comparison) => ({ of: name, expression: compared(comparison) })),
  );

function compared(comparison: string): string {
  const [, side] = /^(.+) (?:>|<|>=|<=|==) [\d.]+$/s.exec(comparison) ?? [];
  if (side === undefined) throw new Error(`no comparison with a number: ${comparison}`);
  return side;
}
