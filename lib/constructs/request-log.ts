import { RemovalPolicy } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { FilterPattern, SubscriptionFilter } from 'aws-cdk-lib/aws-logs';
import { LambdaDestination } from 'aws-cdk-lib/aws-logs-destinations';
import { Construct } from 'constructs';
import { REQUEST_LOGGED } from '#domain/prediction/request-log.ts';
import { type Access, accessTo } from './access.ts';
import { GatehouseFunction, type StackContext } from './function.ts';

/**
 * The request log: endpoints write encrypted lines, a subscription brings them to a function, and that puts them into the lake.
 * Endpoints may encrypt and not decrypt; the function may decrypt and not encrypt.
 */
export class RequestLogPipeline extends Construct {
  private readonly key: Key;
  private readonly writer: GatehouseFunction;

  constructor(scope: Construct, id: string, props: StackContext) {
    super(scope, id);
    const { names } = props;
    this.key = new Key(this, 'Key', {
      alias: names.requestLogKeyAlias,
      description: `encrypts the requests that endpoints of ${names.environment} log`,
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    this.writer = new GatehouseFunction(this, 'Function', {
      ...props,
      privilege: 'request-log',
      memoryMb: 1024,
      timeoutSeconds: 120,
      isAsynchronous: true,
    }).bind(accessTo(names).writesRequestLog(), {
      variables: {},
      statements: [{ actions: ['kms:Decrypt'], resources: [this.key.keyArn] }],
    });
  }

  /** What an endpoint needs to write its lines. */
  encrypts(): Access {
    return {
      variables: { REQUEST_LOG_KEY: this.key.keyArn },
      statements: [{ actions: ['kms:GenerateDataKey'], resources: [this.key.keyArn] }],
    };
  }

  /** Brings the request log of an endpoint to the lake. Its lines are found by a word, which needs no parsing of each. */
  follow(endpoint: GatehouseFunction, model: string): void {
    new SubscriptionFilter(this, `Subscription-${model}`, {
      logGroup: endpoint.logGroup,
      destination: new LambdaDestination(this.writer.lambda),
      filterPattern: FilterPattern.literal(REQUEST_LOGGED),
    });
  }
}
