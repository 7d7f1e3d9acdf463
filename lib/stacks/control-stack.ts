import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { HttpApi, HttpMethod, HttpStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpUserPoolAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { AccountRecovery, Mfa, UserPool, UserPoolClient, UserPoolGroup } from 'aws-cdk-lib/aws-cognito';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import { Role } from '#domain/policy/role.ts';
import type { DeployedModels } from '#domain/model/deployed.ts';
import { accessTo } from '#lib/constructs/access.ts';
import { AttestationsApi } from '#lib/constructs/attestations-api.ts';
import { Exchange, type ExchangeProps } from '#lib/constructs/exchange.ts';
import { GatehouseFunction } from '#lib/constructs/function.ts';
import { PeoplePolicies } from '#lib/constructs/people-policies.ts';
import type { Acts } from '#model/define-ownership.ts';

export interface ControlStackProps extends StackProps, ExchangeProps {
  readonly deployed: DeployedModels;
  readonly acts: Acts;
}

/** What the API answers to; anything else is not there. */
const ROUTES: readonly (readonly [HttpMethod, string])[] = [
  [HttpMethod.GET, '/requests'],
  [HttpMethod.GET, '/requests/{promotion}'],
  [HttpMethod.POST, '/promotions'],
  [HttpMethod.POST, '/decisions'],
  [HttpMethod.POST, '/policies'],
  [HttpMethod.POST, '/quarantines'],
];

/** Where people meet the system: who they are, what they may decide, and the API by which they do. */
export class ControlStack extends Stack {
  readonly approvers: Topic;

  constructor(scope: Construct, id: string, props: ControlStackProps) {
    super(scope, id, props);
    const { names, config } = props;
    const pool = new UserPool(this, 'People', {
      userPoolName: names.name('people'),
      selfSignUpEnabled: false,
      signInCaseSensitive: false,
      accountRecovery: AccountRecovery.EMAIL_ONLY,
      mfa: Mfa.OPTIONAL,
      mfaSecondFactor: { otp: true, sms: false },
      passwordPolicy: { minLength: 12, tempPasswordValidity: Duration.days(3) },
      // Who approved what is answered by names of this pool, for as long as the audit chains are kept.
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    for (const role of Role.options) new UserPoolGroup(this, `Role-${role}`, { userPool: pool, groupName: role });
    const client = new UserPoolClient(this, 'CommandLine', {
      userPool: pool,
      userPoolClientName: names.name('command-line'),
      generateSecret: false,
      disableOAuth: true,
      preventUserExistenceErrors: true,
      authFlows: { userPassword: true, userSrp: true },
      idTokenValidity: Duration.hours(1),
      accessTokenValidity: Duration.hours(1),
      refreshTokenValidity: Duration.hours(12),
    });

    this.approvers = new Topic(this, 'Approvers', { topicName: names.name('approvers'), enforceSSL: true });
    for (const address of config.approvers) this.approvers.addSubscription(new EmailSubscription(address));
    const exchange = new Exchange(this, 'Exchange', props);
    exchange.intake.bind(accessTo(names).publishes('APPROVERS_TOPIC', this.approvers.topicArn));

    const models = props.deployed.models.map(({ definition }) => definition.name);
    const approvals = new GatehouseFunction(this, 'Approvals', {
      ...props,
      privilege: 'approvals',
      timeoutSeconds: 15,
    }).bind(accessTo(names).environment(), accessTo(names).writesLedger('DECISION'), {
      variables: { USER_POOL_ID: pool.userPoolId, MODELS: JSON.stringify(models) },
      statements: [
        { actions: ['cognito-idp:AdminGetUser', 'cognito-idp:AdminListGroupsForUser'], resources: [pool.userPoolArn] },
      ],
    });

    const api = new HttpApi(this, 'Api', {
      apiName: names.name('approvals'),
      createDefaultStage: false,
      defaultAuthorizer: new HttpUserPoolAuthorizer('SignedIn', pool, { userPoolClients: [client] }),
    });
    const integration = new HttpLambdaIntegration('ApprovalsIntegration', approvals.lambda);
    for (const [method, path] of ROUTES) api.addRoutes({ path, methods: [method], integration });
    // People type: whoever asks more than this is no person.
    const stage = new HttpStage(this, 'Stage', {
      httpApi: api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: 20, burstLimit: 40 },
    });
    new AttestationsApi(this, 'Attestations', { ...props, api, stage, pool });

    new PeoplePolicies(this, 'PeoplePolicies', {
      names,
      acts: props.acts,
      models,
      userPoolArn: pool.userPoolArn,
    });
    new CfnOutput(this, 'ApiUrl', { value: api.apiEndpoint });
    new CfnOutput(this, 'UserPoolId', { value: pool.userPoolId });
    new CfnOutput(this, 'ClientId', { value: client.userPoolClientId });
  }
}
