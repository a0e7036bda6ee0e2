import type { Decision, Fault, Grant, Publication } from './history.ts';

/** Takes down what happens, while it happens. */
export class Recorder {
  readonly from = Date.now();
  readonly grants: Grant[] = [];
  readonly publications: Publication[] = [];
  readonly decisions: Decision[] = [];
  readonly faults: Fault[] = [];
  readonly losses: number[] = [];
  /** Hears of each token that was given out. */
  onGrant: (token: number, accessToken: string) => void = () => {};

  granted(grant: Grant, accessToken: string): number {
    const token = this.grants.push(grant) - 1;
    this.onGrant(token, accessToken);
    return token;
  }

  /** Runs a publication and takes it down, acknowledged or not. */
  async published(
    id: string,
    publish: () => Promise<{ readonly id?: string; readonly partition: number; readonly offset: number }>,
    poison = false,
  ): Promise<Publication | undefined> {
    const sentAt = Date.now();
    const mark = poison ? ({ poison: true } as const) : {};
    try {
      const { partition, offset, id: given = id } = await publish();
      const publication = { id: given, sentAt, ackedAt: Date.now(), place: { partition, offset }, ...mark };
      this.publications.push(publication);
      return publication;
    } catch {
      this.publications.push({ id, sentAt, ...mark });
      return undefined;
    }
  }
}
