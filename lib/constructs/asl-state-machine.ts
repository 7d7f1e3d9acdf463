import { readFileSync } from 'node:fs';
import { RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { DefinitionBody, LogLevel, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { Names } from '#model/names.ts';
import type { GatehouseFunction, SharedFunction } from './function.ts';

/** What a placeholder of a definition stands for: a function or another machine, and the right to call it. */
export type Binding = { readonly function: GatehouseFunction | SharedFunction } | { readonly machine: string };

export interface AslStateMachineProps {
  readonly names: Names;
  readonly logDays: number;
  /** The name of the file in `statemachines/`, without its ending. */
  readonly machine: string;
  readonly bindings: Readonly<Record<string, Binding>>;
}

/** A Standard state machine from the ASL text that AWS, the emulator and a reviewer all read. */
export class AslStateMachine extends Construct {
  readonly stateMachine: StateMachine;

  constructor(scope: Construct, id: string, props: AslStateMachineProps) {
    super(scope, id);
    const { names, machine, bindings } = props;
    const text = readFileSync(new URL(`../../statemachines/${machine}.asl.json`, import.meta.url), 'utf8');
    checkBindings(machine, text, Object.keys(bindings));
    const role = new Role(this, 'Role', {
      roleName: names.name(`machine-${machine}`),
      assumedBy: new ServicePrincipal('states.amazonaws.com'),
    });
    const substitutions: Record<string, string> = {};
    for (const [placeholder, binding] of Object.entries(bindings)) {
      if ('function' in binding) {
        const { invoked, invocable } = callOf(binding.function);
        substitutions[placeholder] = invoked;
        role.addToPolicy(new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [invocable] }));
      } else {
        const arn = names.stateMachineArn(binding.machine);
        substitutions[placeholder] = arn;
        role.addToPolicy(new PolicyStatement({ actions: ['states:StartExecution'], resources: [arn] }));
        const executions = names.arn('states', `execution:${names.name(binding.machine)}:*`);
        role.addToPolicy(
          new PolicyStatement({
            actions: ['states:DescribeExecution', 'states:StopExecution'],
            resources: [executions],
          }),
        );
        // `.sync` integrations watch their child through a rule that Step Functions itself manages.
        role.addToPolicy(
          new PolicyStatement({
            actions: ['events:PutTargets', 'events:PutRule', 'events:DescribeRule'],
            resources: [names.arn('events', 'rule/StepFunctionsGetEventsForStepFunctionsExecutionRule')],
          }),
        );
      }
    }
    if (text.includes('"DISTRIBUTED"')) {
      // The iterations of a Distributed Map are executions of the same machine, which it starts, watches and stops itself.
      const own = names.stateMachineArn(machine);
      const iterations = names.arn('states', `execution:${names.name(machine)}/*`);
      role.addToPolicy(new PolicyStatement({ actions: ['states:StartExecution'], resources: [own] }));
      role.addToPolicy(
        new PolicyStatement({ actions: ['states:DescribeExecution', 'states:StopExecution'], resources: [iterations] }),
      );
    }
    this.stateMachine = new StateMachine(this, 'Machine', {
      stateMachineName: names.name(machine),
      role,
      definitionBody: DefinitionBody.fromString(text),
      definitionSubstitutions: substitutions,
      tracingEnabled: false,
      logs: {
        destination: new LogGroup(this, 'Logs', {
          logGroupName: `/aws/vendedlogs/states/${names.name(machine)}`,
          retention: props.logDays,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
        level: LogLevel.ERROR,
      },
    });
  }
}

/**
 * What a definition calls, and what its executions may call. An execution keeps the definition that it began with, and
 * the version in it, while the role has the rights of the newest deployment: it may invoke every version of the function.
 * An alias is the same name in each deployment.
 */
function callOf(target: GatehouseFunction | SharedFunction): { readonly invoked: string; readonly invocable: string } {
  if ('sharedArn' in target) return { invoked: target.sharedArn, invocable: target.sharedArn };
  return { invoked: target.version.functionArn, invocable: `${target.lambda.functionArn}:*` };
}

/** Each placeholder is bound, and each binding is used. */
export function checkBindings(machine: string, text: string, bound: readonly string[]): void {
  const used = new Set([...text.matchAll(/\$\{(\w+)\}/g)].map(([, name = '']) => name));
  const unbound = [...used].filter((name) => !bound.includes(name));
  const unused = bound.filter((name) => !used.has(name));
  if (unbound.length > 0) throw new Error(`${machine}.asl.json: unbound placeholders: ${unbound.join(', ')}`);
  if (unused.length > 0) throw new Error(`${machine}.asl.json: bindings that it does not use: ${unused.join(', ')}`);
}
