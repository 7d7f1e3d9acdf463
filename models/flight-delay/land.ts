import { ENVIRONMENTS } from '#domain/environment/environment.ts';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { S3Client } from '@aws-sdk/client-s3';
import { landPartitions } from '#adapters/aws/partition-upload.ts';
import { compileModel } from '#model/compile.ts';

import { namesOf } from '#model/names.ts';
import type { Damage, Replay } from '#model/replay.ts';
import config from '../../gatehouse.config.ts';

/**
 * Lands a replayed history in an environment's landing bucket, as a producer outside of Gatehouse would:
 * `node models/flight-delay/replay.ts --env dev --until 2001-04-01 [--from DAY] [--sample 0.1] [--damage KIND:FIRST:LAST]`.
 * Run again without `--damage` it lands the clean partitions in place of the damaged ones: a correction.
 */
export async function land(replay: Replay): Promise<void> {
  const { values } = parseArgs({
    options: {
      env: { type: 'string', default: 'dev' },
      from: { type: 'string' },
      until: { type: 'string' },
      sample: { type: 'string', default: '1' },
      damage: { type: 'string' },
    },
  });
  const environment = ENVIRONMENTS.find((name) => name === values.env);
  if (environment === undefined || values.until === undefined || Number.isNaN(Date.parse(values.until))) {
    console.error(
      `usage: replay.ts --env ${ENVIRONMENTS.join('|')} --until DAY [--from DAY] [--sample FRACTION] [--damage KIND:FIRST:LAST]`,
    );
    console.error(`damages: ${replay.damages.join(', ')}`);
    process.exit(2);
  }
  const { account, region, landingBucket } = namesOf(config, environment);
  // On a laptop the access key is the account; on AWS the caller's own credentials count.
  const local = process.env['AWS_ENDPOINT_URL'] !== undefined;
  const s3 = new S3Client({
    region,
    ...(local ? { forcePathStyle: true, credentials: { accessKeyId: account, secretAccessKey: 'test' } } : {}),
  });
  const damage = values.damage === undefined ? {} : { damage: damageOf(values.damage) };
  const folder = join(import.meta.dirname, '../../.gatehouse/flights');
  const result = await landPartitions({
    s3,
    bucket: landingBucket,
    definition: await compileModel(import.meta.dirname),
    partitions: await replay.prepare({ folder, sample: Number(values.sample), ...damage }),
    ...(values.from === undefined ? {} : { from: values.from }),
    until: values.until,
    onProgress: ({ done, total }) => {
      if (process.stderr.isTTY) process.stderr.write(`\r${String(done)} of ${String(total)} partitions`);
    },
  });
  console.log(
    `${String(result.total)} partitions until ${values.until}, ${String(result.written)} of them new or corrected`,
  );
}

function damageOf(text: string): Damage {
  const [kind = '', first = '', last = first] = text.split(':');
  return { kind, first, last };
}
