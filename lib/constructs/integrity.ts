import { Construct } from 'constructs';
import type { Environment } from '#domain/environment/environment.ts';
import { environmentSchedule } from '#domain/supervision/schedules.ts';
import { accessTo } from './access.ts';
import { GatehouseFunction, type StackContext } from './function.ts';
import { Schedule } from './schedule.ts';

export interface IntegrityProps extends StackContext {
  readonly environment: Environment;
}

/** The function that hashes stored objects again, each hour some of them. */
export class Integrity extends Construct {
  constructor(scope: Construct, id: string, props: IntegrityProps) {
    super(scope, id);
    const { names, environment } = props;
    const access = accessTo(names);
    const integrity = new GatehouseFunction(this, 'Function', {
      ...props,
      privilege: 'integrity',
      timeoutSeconds: 900,
      isAsynchronous: true,
    }).bind(
      access.environment(),
      access.writesLedger('CURSOR', 'FAULT', 'SCHEDULE'),
      access.readsPublished(),
      // In control there are records and nothing else.
      ...(environment === 'control'
        ? []
        : [access.readsCatalogue(), access.readsArtifacts(), access.readsStoredLake()]),
    );
    new Schedule(this, 'Schedule', {
      names,
      schedule: environmentSchedule('integrity'),
      targetArn: integrity.lambda.functionArn,
      action: 'lambda:InvokeFunction',
      input: { task: 'Check integrity', input: {} },
    });
  }
}
