import { constants } from 'node:fs';
import { copyFile, link, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GatehouseError } from '#domain/error.ts';
import { localCloudStatus } from './cloud.ts';
import { freePorts } from './ports.ts';
import { type Ports, type RememberedPorts, rememberedPorts, rememberPorts, SERVICES } from './state.ts';

/**
 * What the emulator writes once, or replaces as a whole under another name first: objects and functions' code. Two homes can
 * share these files.
 */
const SHARED = ['emulator/s3', 'emulator/state/lambda-blobs', 'emulator/unpacked'];
const STATE = 'emulator/state';
/** What a start or a deployment makes anew, and what belongs to whoever used the cloud. */
const LEFT = new Set([
  'cdk',
  'logs',
  'replay',
  'emulator/tmp',
  // Names files by their digests, which other ports change.
  'emulator/state/saved.json',
  'sagemaker/tmp',
  'cloudwatch/tmp',
  'local.json',
  'local.lock',
  'ports.json',
  'session.json',
]);

/**
 * Copies the stopped cloud of a home to a folder that does not exist yet, and gives the ports on which the copy is to be
 * started: free ones, which its resources (queue URLs, the API's endpoint) contain from now on.
 */
export async function copyLocalCloud(from: string, to: string): Promise<Ports> {
  const before = rememberedPorts(from);
  const { state } = localCloudStatus(from);
  if (before === undefined || state !== 'stopped') {
    throw new GatehouseError('LOCAL_COPY_REFUSED', `the cloud of ${from} is ${state}; start it once and stop it`, {
      from,
      state,
    });
  }
  const ports = await freePorts();
  await mkdir(to, { recursive: false });
  await copyFolder(from, to, '', (text) => withPorts(text, before, ports));
  rememberPorts(to, ports);
  return ports;
}

async function copyFolder(from: string, to: string, folder: string, rewrite: (text: string) => string): Promise<void> {
  await mkdir(join(to, folder), { recursive: true });
  for (const entry of await readdir(join(from, folder), { withFileTypes: true })) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (LEFT.has(path)) continue;
    const [source, target] = [join(from, path), join(to, path)];
    if (entry.isDirectory()) await copyFolder(from, to, path, rewrite);
    else if (SHARED.some((shared) => path.startsWith(`${shared}/`))) await share(source, target);
    else if (folder === STATE && path.endsWith('.json'))
      await writeFile(target, rewrite(await readFile(source, 'utf8')));
    else await copyFile(source, target, constants.COPYFILE_FICLONE);
  }
}

/** A hard link, or a copy where the two folders are on different disks. */
async function share(source: string, target: string): Promise<void> {
  await link(source, target).catch(() => copyFile(source, target, constants.COPYFILE_FICLONE));
}

/** The text with each address of the old ports replaced by that of the new ones. */
function withPorts(text: string, before: RememberedPorts, after: Ports): string {
  const renamed = new Map(SERVICES.map((name) => [String(before[name]), String(after[name])]));
  return text.replaceAll(/(?<host>localhost|127\.0\.0\.1):(?<port>\d+)/g, (whole, host: string, port: string) =>
    renamed.has(port) ? `${host}:${renamed.get(port)}` : whole,
  );
}
