import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { StackContext } from '#lib/constructs/function.ts';
import { Incidents } from '#lib/constructs/incidents.ts';
import { PeoplePolicies } from '#lib/constructs/people-policies.ts';
import type { Acts } from '#model/define-ownership.ts';

/** What looks at an environment from beside: its incidents, and what people may do in it. */
export class OperationsStack extends Stack {
  constructor(scope: Construct, id: string, props: StackProps & StackContext & { readonly acts: Acts }) {
    super(scope, id, props);
    new Incidents(this, 'Incidents', props);
    new PeoplePolicies(this, 'People', { names: props.names, acts: props.acts });
  }
}
