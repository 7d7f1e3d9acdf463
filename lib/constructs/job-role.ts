import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { Names } from '#model/names.ts';

export interface JobRoleProps {
  readonly names: Names;
  readonly name: string;
  /** SageMaker's word for the kind of job, in the name of its log group. */
  readonly kind: 'TrainingJobs' | 'ProcessingJobs';
  /** Keys of the training bucket that the job may read, and those that it may write. */
  readonly reads: string;
  readonly writes: string;
}

/** The role of SageMaker jobs: reads what was staged for them and writes beside it; neither the lake nor the holdout is in its reach. */
export function jobRole(scope: Construct, id: string, { names, name, kind, reads, writes }: JobRoleProps): Role {
  const role = new Role(scope, id, {
    roleName: names.name(name),
    assumedBy: new ServicePrincipal('sagemaker.amazonaws.com'),
  });
  const bucket = `arn:aws:s3:::${names.trainingBucket}`;
  role.addToPolicy(new PolicyStatement({ actions: ['s3:GetObject'], resources: [`${bucket}/${reads}`] }));
  role.addToPolicy(new PolicyStatement({ actions: ['s3:PutObject'], resources: [`${bucket}/${writes}`] }));
  role.addToPolicy(
    new PolicyStatement({
      actions: ['s3:ListBucket'],
      resources: [bucket],
      conditions: { StringLike: { 's3:prefix': ['runs/*'] } },
    }),
  );
  role.addToPolicy(new PolicyStatement({ actions: ['ecr:GetAuthorizationToken'], resources: ['*'] }));
  role.addToPolicy(
    new PolicyStatement({
      actions: ['ecr:BatchCheckLayerAvailability', 'ecr:GetDownloadUrlForLayer', 'ecr:BatchGetImage'],
      resources: [names.arn('ecr', 'repository/gatehouse/*')],
    }),
  );
  const group = `log-group:/aws/sagemaker/${kind}`;
  role.addToPolicy(
    new PolicyStatement({
      actions: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents', 'logs:DescribeLogStreams'],
      resources: [names.arn('logs', group), names.arn('logs', `${group}:*`)],
    }),
  );
  return role;
}
