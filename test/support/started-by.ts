import { execFileSync } from 'node:child_process';

interface Process {
  readonly pid: number;
  readonly args: string;
}

/** Everything that a process started, and what that started. */
export function startedBy(parent: number | undefined): Process[] {
  const all = [
    ...execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' }).matchAll(/^ *(\d+) +(\d+) (.*)$/gm),
  ];
  const children = all.flatMap(([, pid, ppid, args = '']) =>
    Number(ppid) === parent ? [{ pid: Number(pid), args }] : [],
  );
  return children.flatMap((child) => [child, ...startedBy(child.pid)]);
}
