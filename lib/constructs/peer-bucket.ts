import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { AccountPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type CfnBucket,
  type ObjectLockRetention,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';

/** A role of another account that may read here. */
export interface PeerReader {
  readonly account: string;
  readonly roleArn: string;
}

export interface PeerBucketProps {
  readonly bucketName: string;
  readonly retention?: ObjectLockRetention;
  readonly sendsEvents?: boolean;
  /** Days after which versions that were replaced are dropped; kept for ever if left out. */
  readonly dropReplacedAfterDays?: number;
  /** Objects that are kept for some days only, with all their versions. */
  readonly expiring?: readonly { readonly prefix: string; readonly days: number }[];
  readonly readers?: readonly PeerReader[];
}

/** A versioned, private bucket that named roles of peers may read, and nobody outside this account may write. */
export class PeerBucket extends Construct {
  readonly bucket: Bucket;

  constructor(scope: Construct, id: string, props: PeerBucketProps) {
    super(scope, id);
    this.bucket = new Bucket(this, 'Bucket', {
      bucketName: props.bucketName,
      versioned: true,
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
      ...(props.retention === undefined
        ? {}
        : { objectLockEnabled: true, objectLockDefaultRetention: props.retention }),
      lifecycleRules: [
        {
          abortIncompleteMultipartUploadAfter: Duration.days(7),
          ...(props.dropReplacedAfterDays === undefined
            ? {}
            : { noncurrentVersionExpiration: Duration.days(props.dropReplacedAfterDays) }),
        },
        ...(props.expiring ?? []).map(({ prefix, days }) => ({
          prefix,
          expiration: Duration.days(days),
          // Under versioning an expired object is a replaced version.
          noncurrentVersionExpiration: Duration.days(1),
        })),
      ],
    });
    if (props.sendsEvents === true) {
      // The construct's own switch is a custom resource; the bucket's property does the same without one.
      const resource = this.bucket.node.defaultChild as CfnBucket;
      resource.addPropertyOverride('NotificationConfiguration', {
        EventBridgeConfiguration: { EventBridgeEnabled: true },
      });
    }
    for (const { account, roleArn } of props.readers ?? []) {
      // The principal is the account, so that this policy can exist before the role does; the condition is the role.
      const root = `arn:aws:iam::${account}:root`;
      const conditions = { ArnEquals: { 'aws:PrincipalArn': [roleArn, root] } };
      const principals = [new AccountPrincipal(account)];
      this.bucket.addToResourcePolicy(
        new PolicyStatement({
          principals,
          actions: ['s3:GetObject'],
          resources: [this.bucket.arnForObjects('*')],
          conditions,
        }),
      );
      this.bucket.addToResourcePolicy(
        new PolicyStatement({ principals, actions: ['s3:ListBucket'], resources: [this.bucket.bucketArn], conditions }),
      );
    }
  }
}
