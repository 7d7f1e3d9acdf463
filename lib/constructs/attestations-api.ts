import { type CfnStage, type HttpApi, HttpMethod, type HttpStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpJwtAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Duration } from 'aws-cdk-lib';
import type { UserPool } from 'aws-cdk-lib/aws-cognito';
import { ObjectLockRetention } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { Config } from '#model/config.ts';
import { accessTo } from './access.ts';
import { GatehouseFunction, type StackContext } from './function.ts';
import { PeerBucket } from './peer-bucket.ts';

export interface AttestationsApiProps extends StackContext {
  readonly config: Config;
  readonly api: HttpApi;
  readonly stage: HttpStage;
  readonly pool: UserPool;
}

const PATH = '/attestations';

/** Requests by second, and at once, of each route: a run attests five things, and whoever sends more floods. */
const THROTTLE = { ThrottlingRateLimit: 5, ThrottlingBurstLimit: 20 };

/**
 * Where CI and people attest: a route for each issuer of tokens, which the API verifies before anything of ours runs, and the
 * reports as they came, which nobody overwrites.
 */
export class AttestationsApi extends Construct {
  constructor(scope: Construct, id: string, props: AttestationsApiProps) {
    super(scope, id);
    const { config, names, api, stage, pool } = props;
    new PeerBucket(this, 'Reports', {
      bucketName: names.artifactBucket,
      retention: ObjectLockRetention.governance(Duration.days(365 * config.retention.artifactYears)),
    });
    const access = accessTo(names);
    const attestations = new GatehouseFunction(this, 'Function', {
      ...props,
      privilege: 'attestations',
      memoryMb: 512,
      timeoutSeconds: 29,
    }).bind(access.environment(), access.writesLedger('ATTESTATION'), access.writesArtifacts(), {
      variables: { USER_POOL_ID: pool.userPoolId, ISSUERS: JSON.stringify(config.ci) },
      statements: [
        { actions: ['cognito-idp:AdminGetUser', 'cognito-idp:AdminListGroupsForUser'], resources: [pool.userPoolArn] },
      ],
    });
    const integration = new HttpLambdaIntegration('AttestationsIntegration', attestations.lambda);
    const routes = [
      ...api.addRoutes({ path: PATH, methods: [HttpMethod.POST], integration }),
      ...config.ci.flatMap(({ name, issuer, audience }) =>
        api.addRoutes({
          path: `${PATH}/${name}`,
          methods: [HttpMethod.POST],
          integration,
          authorizer: new HttpJwtAuthorizer(`Issuer-${name}`, issuer, { jwtAudience: [audience] }),
        }),
      ),
    ];
    // A stage that names a route is made after it.
    stage.node.addDependency(...routes);
    (stage.node.defaultChild as CfnStage).routeSettings = Object.fromEntries(
      [PATH, ...config.ci.map(({ name }) => `${PATH}/${name}`)].map((path) => [`POST ${path}`, THROTTLE]),
    );
  }
}
