import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment';
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import type { IConfigMap } from 'kubernetes-models/v1/ConfigMap';
import type { INamespace } from 'kubernetes-models/v1/Namespace';
import type { IService } from 'kubernetes-models/v1/Service';
import { parseAllDocuments } from 'yaml';
import { inRoot, LOCAL } from '../../infra/local/paths.mjs';

export type Resource = IConfigMap | IDeployment | INamespace | INetworkPolicy | IPodDisruptionBudget | IService;

/** Every resource of infra/kubernetes. Kubernetes reads YAML 1.1, where `yes` is true and `0440` is octal. */
export const kubernetesResources = (): Resource[] =>
  readdirSync(inRoot('infra/kubernetes')).flatMap((file) =>
    parseAllDocuments(readFileSync(inRoot('infra/kubernetes', file), 'utf8'), { version: '1.1' }).map(
      (document): Resource => document.toJS(),
    ),
  );

/**
 * What is wrong with resources, by the types that kubernetes-models has generated from the OpenAPI schemas of Kubernetes;
 * empty where nothing is. The compiler reads them, as the validators of that package take a field that no schema knows.
 */
export function complaintsOfKubernetes(resources: readonly unknown[]): string {
  // Inside of the clone, from where the compiler finds the package.
  mkdirSync(LOCAL, { recursive: true });
  const directory = mkdtempSync(`${LOCAL}/kubernetes-`);
  const file = `${directory}/resources.ts`;
  try {
    const sources = (resources as readonly Resource[]).map(
      (one, i) => `import type { I${one.kind} as Kind${i} } from 'kubernetes-models/${one.apiVersion}/${one.kind}';
export const resource${i}: Kind${i} = ${JSON.stringify(one, undefined, 2)};
`,
    );
    writeFileSync(file, sources.join(''));
    const options = ['--ignoreConfig', '--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--types', ''];
    const { stdout, error } = spawnSync(inRoot('node_modules/.bin/tsc'), [...options, file], { encoding: 'utf8' });
    if (error) throw error;
    return stdout;
  } finally {
    rmSync(directory, { recursive: true });
  }
}
