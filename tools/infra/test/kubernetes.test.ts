import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findOrInstall, findProgram } from '@hooligram/local';
import { readConfig } from '@hooligram/service';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';
import { configs } from './variables.ts';

const path = (name: string) => fileURLToPath(new URL(`../../../${name}`, import.meta.url));
const overlays = ['development', 'production'] as const;
/** In none of them. */
const canary = 'canary';

type Variable = { name: string; value?: string; valueFrom?: object };
type Pod = {
  terminationGracePeriodSeconds: number;
  containers: {
    name: keyof typeof configs;
    args: string[];
    env?: Variable[];
    envFrom?: { configMapRef: { name: string } }[];
    livenessProbe?: { httpGet: { path: string } };
    readinessProbe?: { httpGet: { path: string } };
  }[];
};
type Manifest = {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  spec?: { selector?: { matchLabels?: Record<string, string> }; template?: { metadata: object; spec: Pod } };
  data?: Record<string, string>;
};

const rendered = new Map<string, Manifest[]>();

beforeAll(async () => {
  const kubectl = await findOrInstall({
    name: 'kubectl',
    find: () => findProgram('kubectl'),
    debianPackage: 'kubernetes-client',
  });
  for (const overlay of [...overlays, canary]) {
    const folder = path(`infra/kubernetes/${overlay === canary ? '' : 'overlays/'}${overlay}`);
    // kustomize warns of words that only its older versions need.
    const text = execFileSync(kubectl, ['kustomize', folder], { encoding: 'utf8', stdio: 'pipe' });
    rendered.set(
      overlay,
      parseAllDocuments(text).map((document) => document.toJS() as Manifest),
    );
  }
});

const manifestsOf = (overlay: string) => rendered.get(overlay) ?? [];
const podsOf = (overlay: string) =>
  manifestsOf(overlay).flatMap(({ kind, spec }) =>
    kind === 'Deployment' && spec?.template ? [spec.template.spec] : [],
  );

/** What may stand in the place of each secret. */
const secrets: Record<string, string> = {
  DATABASE_URL: 'postgres://host/database',
  REDIS_URL: 'redis://host',
  BUS_SIGNING_KEYS: 'x'.repeat(32),
  CREDENTIAL_KEY: 'x'.repeat(32),
  TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
  TWILIO_AUTH_TOKEN: 'x'.repeat(32),
  TWILIO_VERIFY_SERVICE_SID: `VA${'0'.repeat(32)}`,
  CANARY_SENDER: '44.7700900001',
  CANARY_SENDER_TOKEN: 'x',
  CANARY_RECIPIENT: '44.7700900002',
  CANARY_RECIPIENT_TOKEN: 'x',
};

/** The environment of the first container, with something in the place of each secret. */
function environmentOf(overlay: string, pod: Pod): Record<string, string> {
  const [container] = pod.containers;
  const maps = (container?.envFrom ?? []).map(({ configMapRef }) => configMapRef.name);
  const found = manifestsOf(overlay).filter(
    ({ kind, metadata }) => kind === 'ConfigMap' && maps.includes(metadata.name),
  );
  expect(found).toHaveLength(maps.length);
  const own = (container?.env ?? []).map((variable) => [
    variable.name,
    variable.value ?? secrets[variable.name],
  ]);
  return { ...Object.assign({}, ...found.map(({ data }) => data)), ...Object.fromEntries(own) };
}

describe.each(overlays)('%s', (overlay) => {
  test('has both programs and the migrations, all in one namespace', () => {
    const names = manifestsOf(overlay).map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(names).toEqual(
      expect.arrayContaining([
        'Deployment hooligram-gateway',
        'Deployment hooligram-core',
        'Job hooligram-migrate',
      ]),
    );
    expect(new Set(manifestsOf(overlay).map(({ metadata }) => metadata.namespace)).size).toBe(1);
  });

  test('sets no variable that the program does not have, and each to what it takes', () => {
    const pods = podsOf(overlay);
    expect(pods).toHaveLength(2);
    for (const pod of pods) {
      const name = pod.containers[0]?.name ?? 'gateway';
      const environment = environmentOf(overlay, pod);
      expect(Object.keys(environment).filter((key) => !(key in configs[name].shape))).toEqual([]);
      expect(() => readConfig(configs[name], environment, name)).not.toThrow();
    }
  });

  test('grants each program its stop, and five seconds', () => {
    for (const pod of podsOf(overlay)) {
      const [container] = pod.containers;
      const stopMs = Number(environmentOf(overlay, pod).STOP_TIMEOUT_MS);
      expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(stopMs / 1_000 + 5);
      expect(container?.livenessProbe?.httpGet.path).toBe('/healthz');
      expect(container?.readinessProbe?.httpGet.path).toBe('/readyz');
    }
  });

  test('selects with every selector a pod that is there', () => {
    const pods = manifestsOf(overlay).flatMap(({ spec }) => (spec?.template ? [spec.template.metadata] : []));
    for (const { kind, metadata, spec } of manifestsOf(overlay)) {
      if (!['Deployment', 'PodDisruptionBudget', 'NetworkPolicy'].includes(kind)) continue;
      const { selector = {}, podSelector = selector } = spec as {
        selector?: { matchLabels?: object };
        podSelector?: { matchLabels?: object };
      };
      expect([metadata.name, pods]).toEqual([
        metadata.name,
        expect.arrayContaining([
          { labels: expect.objectContaining(podSelector.matchLabels ?? { none: '' }) },
        ]),
      ]);
    }
  });
});

test('the canary is in no overlay, has variables that it takes, and reaches gateways alone', () => {
  const running = overlays.flatMap(podsOf).flatMap(({ containers }) => containers.map(({ name }) => name));
  expect(running).not.toContain('canary');
  const [pod] = podsOf(canary);
  const environment = environmentOf(canary, pod as Pod);
  expect(Object.keys(environment).filter((key) => !(key in configs.canary.shape))).toEqual([]);
  const { CANARY_URLS } = readConfig(configs.canary, environment, 'canary');
  expect(CANARY_URLS).toEqual([`ws://${serviceOf('production', 'gateway')}/v2`]);
  const policy = manifestsOf(canary).find(({ kind }) => kind === 'NetworkPolicy')?.spec;
  expect(policy).toMatchObject({
    egress: [{ to: [{ podSelector: { matchLabels: { 'app.kubernetes.io/component': 'gateway' } } }] }],
  });
  expect(pod?.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(20 + 5);
});

/** The name of the Service that leads clients to a component. */
function serviceOf(overlay: string, component: string): string | undefined {
  return manifestsOf(overlay).find(
    ({ kind, metadata }) =>
      kind === 'Service' &&
      metadata.labels?.['app.kubernetes.io/component'] === component &&
      !metadata.labels['hooligram/port'],
  )?.metadata.name;
}

test('a gateway with as many connections as the autoscaler aims at can send them away in its time', () => {
  const pod = podsOf('production').find(({ containers }) => containers[0]?.name === 'gateway') as Pod;
  const { DRAIN_SECONDS, DRAIN_RATE_MAX } = environmentOf('production', pod);
  const scaler = manifestsOf('production').find(
    ({ kind, metadata }) => kind === 'HorizontalPodAutoscaler' && metadata.name === 'hooligram-gateway',
  ) as { spec: { metrics: { pods?: { target: { averageValue: string } } }[] } } | undefined;
  const aim = scaler?.spec.metrics.find(({ pods }) => pods)?.pods?.target.averageValue;
  expect(Number(DRAIN_SECONDS) * Number(DRAIN_RATE_MAX)).toBeGreaterThan(Number(aim));
});

test('Prometheus gets every rule of infra/prometheus in production', () => {
  // Kustomize breaks long expressions elsewhere.
  const unbroken = (value: unknown) =>
    JSON.parse(JSON.stringify(value).replace(/(\\n|\s)+/g, ' ')) as { groups: object[] };
  const files = ['recording', 'alerts'].map((name) => path(`infra/prometheus/${name}.rules.yml`));
  const groups = files.flatMap((file) => unbroken(parse(readFileSync(file, 'utf8'))).groups);
  const [rule] = manifestsOf('production').filter(({ kind }) => kind === 'PrometheusRule');
  // Else: npm run build -- --docs
  expect(unbroken(rule?.spec)).toEqual({ groups });
});

test('Kubernetes has every field of the manifests, with values of its type', () => {
  expect(faultsOf([...overlays, canary].flatMap(manifestsOf))).toBe('');
});

test('a misspelt field and a value of another type are found', () => {
  const [deployment] = manifestsOf('production').filter(({ kind }) => kind === 'Deployment');
  const withField = (field: object) =>
    faultsOf([{ ...deployment, spec: { ...deployment?.spec, ...field } } as Manifest]);
  expect(withField({ minReadySecond: 1 })).toMatch(/minReadySecond/);
  expect(withField({ minReadySeconds: '1' })).toMatch(/'string' is not assignable to type 'number'/);
});

/**
 * Has the TypeScript compiler compare manifests with the types of Kubernetes' API: unlike a JSON schema, it knows no
 * field but those, so that it finds a misspelt one.
 * @returns what it says; empty when all is well
 */
function faultsOf(manifests: readonly Manifest[]): string {
  const folder = path('tools/infra/dist');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `manifests-${process.pid}.ts`);
  const lines = manifests.map((manifest, i) => {
    const { apiVersion, kind } = manifest;
    const operator = apiVersion.startsWith('monitoring.coreos.com/');
    const library = operator ? '@kubernetes-models/prometheus-operator' : 'kubernetes-models';
    const type = `import('${library}/${apiVersion}/${kind}').I${kind}`;
    return `export const manifest${i}: ${type} = ${JSON.stringify(manifest, undefined, 1)};`;
  });
  writeFileSync(file, lines.join('\n'));
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2022'];
  try {
    execFileSync(
      process.execPath,
      [path('node_modules/typescript/bin/tsc'), ...options, '--ignoreConfig', file],
      {
        encoding: 'utf8',
        stdio: 'pipe',
      },
    );
    return '';
  } catch (error) {
    return (error as { stdout: string }).stdout;
  } finally {
    rmSync(file);
  }
}
