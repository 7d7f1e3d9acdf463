import { pullersOf } from '#domain/environment/environment.ts';
import { Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { ObjectLockRetention } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';

import { Exchange, type ExchangeProps, readersOf } from '#lib/constructs/exchange.ts';
import { PeerBucket } from '#lib/constructs/peer-bucket.ts';

/** The environment's register: released artifacts, which nothing overwrites, and the ledger with its exchange. */
export class RegistryStack extends Stack {
  constructor(scope: Construct, id: string, props: StackProps & ExchangeProps) {
    super(scope, id, props);
    const { config, environment, names } = props;
    new PeerBucket(this, 'Artifacts', {
      bucketName: names.artifactBucket,
      retention: ObjectLockRetention.governance(Duration.days(365 * config.retention.artifactYears)),
      readers: pullersOf(environment).flatMap((puller) => readersOf(config, puller, ['release'])),
    });
    new Exchange(this, 'Exchange', props);
  }
}
