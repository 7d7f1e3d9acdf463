import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { z } from 'zod';

const Manifest = z.array(z.union([z.string(), z.strictObject({ prefix: z.string() })]));

/** An account's objects, as SageMaker reads and writes them for a job. */
export class Storage {
  readonly #client: S3Client;

  constructor(endpoint: string, region: string, account: string) {
    this.#client = new S3Client({
      endpoint,
      region,
      forcePathStyle: true,
      credentials: { accessKeyId: account, secretAccessKey: 'test' },
    });
  }

  /** Downloads what an input names into a folder, in File mode; finding nothing is an error, as on AWS. */
  async download(dataType: 'S3Prefix' | 'ManifestFile', uri: string, folder: string): Promise<void> {
    await mkdir(folder, { recursive: true });
    const objects = dataType === 'S3Prefix' ? await this.#list(uri) : await this.#listManifest(uri);
    if (objects.length === 0) {
      throw new Error(
        `No S3 objects found under S3 URL "${uri}" given in input data source. Please ensure that the bucket exists in the selected region, that objects exist under that S3 prefix, and that the role has "s3:ListBucket" permissions on bucket "${parse(uri).bucket}".`,
      );
    }
    for (const { bucket, key, path } of objects) {
      if (posix.normalize(path).startsWith('..')) throw new Error(`object "${key}" would leave its channel`);
      const { Body } = await this.#client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      if (!(Body instanceof Readable)) throw new Error(`object "${key}" has no body`);
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await pipeline(Body, createWriteStream(join(folder, path)));
    }
  }

  /** Uploads one file. */
  async upload(file: string, uri: string): Promise<void> {
    const { bucket, key } = parse(uri);
    await this.#client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: await readFile(file) }));
  }

  /** Uploads every file of a folder under a prefix. */
  async uploadFolder(folder: string, uri: string): Promise<void> {
    for (const path of await filesOf(folder))
      await this.upload(join(folder, path), `${uri.replace(/\/$/, '')}/${path}`);
  }

  // A prefix need not end at a slash; what follows its last slash is part of the paths.
  async #list(uri: string): Promise<{ bucket: string; key: string; path: string }[]> {
    const { bucket, key: prefix } = parse(uri);
    const base = prefix.lastIndexOf('/') + 1;
    const found = [];
    let token: string | undefined;
    do {
      const page = await this.#client.send(
        new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: prefix,
          ...(token !== undefined && { ContinuationToken: token }),
        }),
      );
      for (const { Key } of page.Contents ?? []) {
        if (Key !== undefined && !Key.endsWith('/')) found.push({ bucket, key: Key, path: Key.slice(base) });
      }
      token = page.NextContinuationToken;
    } while (token !== undefined);
    return found;
  }

  async #listManifest(uri: string): Promise<{ bucket: string; key: string; path: string }[]> {
    const { bucket, key } = parse(uri);
    const { Body } = await this.#client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    const entries = Manifest.parse(JSON.parse((await Body?.transformToString()) ?? '[]'));
    const prefix = entries.find((entry) => typeof entry !== 'string')?.prefix;
    if (prefix === undefined) throw new Error(`manifest "${uri}" has no prefix`);
    return entries
      .filter((entry) => typeof entry === 'string')
      .map((path) => ({ bucket: parse(prefix).bucket, key: `${parse(prefix).key}${path}`, path }));
  }
}

/** Packs what a folder holds (not the folder itself) into a gzipped tar file. */
export async function pack(folder: string, file: string): Promise<void> {
  const entries = await readdir(folder);
  const names = entries.length === 0 ? ['-T', '/dev/null'] : ['--', ...entries];
  // macOS would add files of its own without this.
  await promisify(execFile)('tar', ['-czf', file, '-C', folder, ...names], {
    env: { ...process.env, COPYFILE_DISABLE: '1' },
  });
}

/** The files below a folder, as relative paths; nothing if there is no such folder. */
export async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

function parse(uri: string): { bucket: string; key: string } {
  const [, bucket = '', key = ''] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(uri) ?? [];
  if (bucket === '') throw new Error(`"${uri}" is not an S3 URI`);
  return { bucket, key };
}
