import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { canonicalJson } from '#domain/canonical/digest.ts';
import type { DeployedModels } from '#domain/model/deployed.ts';

/** Packages with native code: not bundled, but put beside the bundle with the binaries of the target's platform. */
const NATIVE: Readonly<Record<string, readonly string[]>> = {
  features: ['@duckdb/node-api', '@duckdb/node-bindings', '@duckdb/node-bindings-{platform}'],
  score: ['@duckdb/node-api', '@duckdb/node-bindings', '@duckdb/node-bindings-{platform}', 'onnxruntime-node', 'onnxruntime-common'],
};
/** Functions that need to know the models which are deployed. */
const WITH_MODELS = new Set(['admission', 'training', 'registration', 'validation', 'gates', 'release', 'intake', 'reconciler']);
/** Lambda refuses above 250 MB unzipped, layers included. */
const MAX_BYTES = 200 * 1024 * 1024;

/** Whether a function has native code, and so a fixed architecture. */
export function isNative(privilege: string): boolean {
  return privilege in NATIVE;
}

/** The platform that native packages are fetched for, as npm spells it: Lambda's, unless the local cloud says the host's. */
export type Platform = `${'linux' | 'darwin'}-${'x64' | 'arm64'}`;

/** Bundles every function below `lambdas/` into `<out>/<function>/`. */
export function bundleFunctions(root: string, out: string, deployed: DeployedModels, platform: Platform): void {
  rmSync(out, { recursive: true, force: true });
  const functions = readdirSync(join(root, 'lambdas'));
  buildSync({
    entryPoints: Object.fromEntries(functions.map((name) => [`${name}/index`, join(root, 'lambdas', name, 'index.ts')])),
    outdir: out,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // Packages in CommonJS call require, which an ES module has not.
    banner: { js: "import { createRequire as gatehouseRequire } from 'node:module'; const require = gatehouseRequire(import.meta.url);" },
    external: ['@duckdb/node-api', 'onnxruntime-node'],
    absWorkingDir: root,
    logLevel: 'error',
  });
  for (const name of functions) {
    if (WITH_MODELS.has(name)) writeFileSync(join(out, name, 'models.json'), canonicalJson(deployed));
    for (const packageName of NATIVE[name] ?? []) copyPackage(root, join(out, name), packageName.replace('{platform}', platform), platform);
  }
}

/** Copies a package without what the target cannot run. */
function copyPackage(root: string, target: string, name: string, platform: Platform): void {
  const source = join(root, 'node_modules', name);
  if (!existsSync(source)) {
    throw new Error(`${name} is not installed: run "npm install --no-save --os=linux --cpu=x64 ${name}" with the version of package-lock.json, and synthesise again`);
  }
  const [os = '', cpu = ''] = platform.split('-');
  mkdirSync(join(target, 'node_modules'), { recursive: true });
  let bytes = 0;
  cpSync(source, join(target, 'node_modules', name), {
    recursive: true,
    dereference: true,
    filter: (path) => {
      const inside = path.slice(source.length).replaceAll('\\', '/');
      const binaries = /^\/bin\/napi-v\d+\/(?<os>[^/]+)(?:\/(?<cpu>[^/]+))?/.exec(inside)?.groups;
      const isOther = binaries !== undefined && (binaries['os'] !== os || (binaries['cpu'] !== undefined && binaries['cpu'] !== cpu));
      return !isOther && !/\.(map|d\.ts|md)$/.test(inside) && !inside.startsWith('/script');
    },
  });
  for (const entry of readdirSync(join(target, 'node_modules'), { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name)).size;
  }
  if (bytes > MAX_BYTES) throw new Error(`the bundle ${target} has ${bytes} bytes unzipped; Lambda takes ${MAX_BYTES}`);
}
