import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

/** The table of requirements: each row names tests as `file › title`, or says why it does not apply. */
const PAGE = readFileSync(new URL('../asvs.md', import.meta.url), 'utf8');

const rows = PAGE.split('\n').flatMap((line) => {
  const [, id, requirement, how, shown] = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
  return id !== undefined && /^(V7\.\d\.\d|9700-\d+)$/.test(id) ? [{ id, requirement, how, shown: shown ?? '' }] : [];
});

const testsIn = (shown: string) =>
  [...shown.matchAll(/`([\w./-]+)` › “([^”]+)”/g)].map(([, file = '', title = '']) => ({ file, title }));

describe('the table of security requirements', () => {
  test('has every requirement of ASVS 5 chapter 7, and those of RFC 9700 on refresh tokens', () => {
    const ids = rows.map(({ id }) => id);
    const chapter = { 1: 3, 2: 4, 3: 2, 4: 5, 5: 3, 6: 2 };
    for (const [section, count] of Object.entries(chapter))
      for (let i = 1; i <= count; i++) expect(ids).toContain(`V7.${section}.${i}`);
    expect(ids.filter((id) => id.startsWith('9700-')).length).toBeGreaterThanOrEqual(8);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test.each(rows)('names for $id tests that exist, or says why it does not apply', ({ shown }) => {
    const tests = testsIn(shown);
    if (tests.length === 0) expect(shown).toMatch(/^(Does not apply|Documented): \S.{20,}/);
    for (const { file, title } of tests) {
      const url = new URL(`../${file}.test.ts`, import.meta.url);
      expect(existsSync(url), file).toBe(true);
      const source = readFileSync(url, 'utf8').replaceAll("\\'", "'");
      expect(source.includes(`'${title}'`) || source.includes(`"${title}"`), `${file} › ${title}`).toBe(true);
    }
  });
});
