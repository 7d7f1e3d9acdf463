import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { buildSync } from 'esbuild';
import { strToU8, zipSync } from 'fflate';
import { canonicalJson } from '#domain/canonical/digest.ts';
import type { Config } from '#model/config.ts';
import type { DeployedModels } from '#domain/model/deployed.ts';

/** Packages with native code: not bundled, but put beside the bundle with the binaries of the target's platform. */
const NATIVE: Readonly<Record<string, readonly string[]>> = {
  admission: ['@duckdb/node-api', '@duckdb/node-bindings', '@duckdb/node-bindings-{platform}'],
  arm: [
    '@duckdb/node-api',
    '@duckdb/node-bindings',
    '@duckdb/node-bindings-{platform}',
    'onnxruntime-node',
    'onnxruntime-common',
  ],
  endpoint: [
    '@duckdb/node-api',
    '@duckdb/node-bindings',
    '@duckdb/node-bindings-{platform}',
    'onnxruntime-node',
    'onnxruntime-common',
  ],
  features: ['@duckdb/node-api', '@duckdb/node-bindings', '@duckdb/node-bindings-{platform}'],
  'request-log': ['@duckdb/node-api', '@duckdb/node-bindings', '@duckdb/node-bindings-{platform}'],
  rows: ['@duckdb/node-api', '@duckdb/node-bindings', '@duckdb/node-bindings-{platform}'],
  score: [
    '@duckdb/node-api',
    '@duckdb/node-bindings',
    '@duckdb/node-bindings-{platform}',
    'onnxruntime-node',
    'onnxruntime-common',
  ],
};
/** Functions that need to know the models which are deployed. */
const WITH_MODELS = new Set([
  'alarms',
  'incidents',
  'admission',
  'attestations',
  'training',
  'data-quality',
  'registration',
  'validation',
  'gates',
  'release',
  'intake',
  'reconciler',
  'supervisor',
  'integrity',
]);
/** Lambda refuses above 250 MB unzipped, layers included. */
const MAX_BYTES = 200 * 1024 * 1024;

/** Whether a function has native code, and so a fixed architecture. */
export function isNative(privilege: string): boolean {
  return privilege in NATIVE;
}

/** The platform that native packages are fetched for, as npm spells it: Lambda's, unless the local cloud says the host's. */
export type Platform = `${'linux' | 'darwin'}-${'x64' | 'arm64'}`;

/**
 * Bundles every function below `lambdas/` and answers where each one's zip file is. A zip is made once for the same code and
 * packages: who deploys to several accounts would have each of them compress it again.
 */
export function bundleFunctions(
  root: string,
  deployed: DeployedModels,
  platform: Platform,
  people: Config['people'] = {},
): (privilege: string) => string {
  const functions = readdirSync(join(root, 'lambdas'));
  const { outputFiles } = buildSync({
    entryPoints: Object.fromEntries(functions.map((name) => [name, join(root, 'lambdas', name, 'index.ts')])),
    outdir: root,
    outExtension: { '.js': '.mjs' },
    write: false,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // Of a package in ES modules only what is used is bundled, and so read at each cold start.
    mainFields: ['module', 'main'],
    // Packages in CommonJS call require, which an ES module has not.
    banner: {
      js: "import { createRequire as gatehouseRequire } from 'node:module'; const require = gatehouseRequire(import.meta.url);",
    },
    external: ['@duckdb/node-api', '@duckdb/node-bindings', 'onnxruntime-node'],
    absWorkingDir: root,
    logLevel: 'error',
  });
  const models = strToU8(canonicalJson(deployed));
  const zips = new Map(
    outputFiles.map(({ path, contents }) => {
      const name = basename(path, '.mjs');
      const own = {
        'index.mjs': contents,
        ...(WITH_MODELS.has(name) ? { 'models.json': models } : {}),
        // Larger than what an environment variable takes.
        ...(name === 'attestations' ? { 'people.json': strToU8(canonicalJson(people)) } : {}),
      };
      const native = NATIVE[name]?.map((packageName) => packageName.replace('{platform}', platform)) ?? [];
      return [name, zipOf(root, name, own, native, platform)];
    }),
  );
  return (privilege) => {
    const zip = zips.get(privilege);
    if (zip === undefined) throw new Error(`there is no function ${privilege} below lambdas/`);
    return zip;
  };
}

/** The time that every entry of a zip bears: the same content has the same bytes. */
const MTIME = new Date('2000-01-01T00:00:00Z');

function zipOf(
  root: string,
  name: string,
  own: Readonly<Record<string, Uint8Array>>,
  packages: readonly string[],
  platform: Platform,
): string {
  const hash = createHash('sha256');
  for (const content of Object.values(own)) hash.update(content);
  if (packages.length > 0)
    hash.update([...packages.map((each) => `${each}@${versionOf(root, each)}`), platform].join());
  const zip = join(root, 'dist', 'functions', `${name}-${hash.digest('hex').slice(0, 16)}.zip`);
  if (existsSync(zip)) return zip;
  const files: Record<string, Uint8Array> = { ...own };
  for (const packageName of packages) {
    const folder = join(root, 'node_modules', packageName);
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile() && isNeeded(path.slice(folder.length).replaceAll('\\', '/'), platform)) {
        files[`node_modules/${packageName}${path.slice(folder.length).replaceAll('\\', '/')}`] = readFileSync(path);
      }
    }
  }
  const bytes = Object.values(files).reduce((sum, content) => sum + content.length, 0);
  if (bytes > MAX_BYTES) throw new Error(`${name} has ${bytes} bytes unzipped; Lambda takes ${MAX_BYTES}`);
  mkdirSync(dirname(zip), { recursive: true });
  // Renamed when whole: another synthesis may be looking for it.
  const partial = `${zip}.${process.pid}`;
  writeFileSync(partial, zipSync(files, { level: 1, mtime: MTIME }));
  renameSync(partial, zip);
  return zip;
}

function versionOf(root: string, name: string): string {
  try {
    const { version } = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as {
      version: string;
    };
    return version;
  } catch {
    throw new Error(
      `${name} is not installed: run "npm install --no-save --force ${name}" with the version of package-lock.json, and synthesise again`,
    );
  }
}

/** Whether a file of a package is needed on the target: neither another platform's binaries nor what only developers read. */
function isNeeded(inside: string, platform: Platform): boolean {
  const [os, cpu] = platform.split('-');
  const binaries = /^\/bin\/napi-v\d+\/(?<os>[^/]+)\/(?<cpu>[^/]+)\//.exec(inside)?.groups;
  const isOther = binaries !== undefined && (binaries['os'] !== os || binaries['cpu'] !== cpu);
  return !isOther && !/\.(map|md|d\.ts)$/.test(inside) && !inside.startsWith('/script');
}
