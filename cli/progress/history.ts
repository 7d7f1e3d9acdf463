import {
  DescribeExecutionCommand,
  DescribeMapRunCommand,
  GetExecutionHistoryCommand,
  type HistoryEvent,
  paginateListExecutions,
  paginateListMapRuns,
  type SFNClient,
} from '@aws-sdk/client-sfn';

/** An execution as it stands, without its history. */
export interface Described {
  readonly status: string;
  readonly input: string;
  readonly output: string | undefined;
  readonly startedAt: Date;
  readonly stoppedAt: Date | undefined;
}

/** What can be read of executions. */
export interface Executions {
  /** The ARNs of a machine's executions that are under way. */
  running(stateMachineArn: string): Promise<readonly string[]>;
  describe(arn: string): Promise<Described>;
  /** The history of an execution; of what is known already, nothing is read again. */
  history(arn: string, known: readonly HistoryEvent[]): Promise<readonly HistoryEvent[]>;
  /** How far the Distributed Map is that an execution is in, if it is in one. */
  mapRun(arn: string): Promise<{ readonly done: number; readonly total: number } | undefined>;
}

/** Executions as Step Functions reports them. */
export function stepFunctions(client: SFNClient): Executions {
  return {
    async running(stateMachineArn) {
      const arns: string[] = [];
      for await (const page of paginateListExecutions({ client }, { stateMachineArn, statusFilter: 'RUNNING' }))
        for (const { executionArn } of page.executions ?? []) if (executionArn !== undefined) arns.push(executionArn);
      return arns;
    },
    async describe(executionArn) {
      const { status, input, output, startDate, stopDate } = await client.send(
        new DescribeExecutionCommand({ executionArn }),
      );
      return {
        status: status ?? 'UNKNOWN',
        input: input ?? '{}',
        output,
        startedAt: startDate ?? new Date(0),
        stoppedAt: stopDate,
      };
    },
    async history(executionArn, known) {
      const last = known.at(-1)?.id ?? 0;
      const added: HistoryEvent[] = [];
      let nextToken: string | undefined;
      do {
        // The newest first, until an event is known: whoever follows a long run does not read it again each second.
        const page = await client.send(
          new GetExecutionHistoryCommand({ executionArn, reverseOrder: true, maxResults: 1000, nextToken }),
        );
        const events = page.events ?? [];
        const fresh = events.filter(({ id = 0 }) => id > last);
        added.push(...fresh);
        nextToken = fresh.length < events.length ? undefined : page.nextToken;
      } while (nextToken !== undefined);
      return [...known, ...added.toReversed()];
    },
    async mapRun(executionArn) {
      for await (const { mapRuns = [] } of paginateListMapRuns({ client }, { executionArn })) {
        const running = mapRuns.find(({ stopDate }) => stopDate === undefined);
        if (running === undefined) continue;
        const { itemCounts } = await client.send(new DescribeMapRunCommand({ mapRunArn: running.mapRunArn }));
        return { done: itemCounts?.succeeded ?? 0, total: itemCounts?.total ?? 0 };
      }
      return undefined;
    },
  };
}
