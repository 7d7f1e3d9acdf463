import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { StackContext } from '#lib/constructs/function.ts';
import { Incidents } from '#lib/constructs/incidents.ts';

/** What looks at an environment from beside: its incidents. */
export class OperationsStack extends Stack {
  constructor(scope: Construct, id: string, props: StackProps & StackContext) {
    super(scope, id, props);
    new Incidents(this, 'Incidents', props);
  }
}
