import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { GatehouseError } from '#domain/error.ts';
import type { CalledArm } from '#domain/promotion/traffic.ts';
import type { ArmCaller } from '#ports/arms.ts';

/** The arms as Lambda functions, by the ARNs of their aliases. A client without retries: a second call would take a second budget. */
export function lambdaArms(
  client: Pick<LambdaClient, 'send'>,
  functions: Readonly<Record<CalledArm, string>>,
): ArmCaller {
  return {
    async call(arm, payload, signal) {
      const { FunctionError: error, Payload: bytes } = await client.send(
        new InvokeCommand({
          FunctionName: functions[arm],
          InvocationType: 'RequestResponse',
          Payload: JSON.stringify(payload),
        }),
        { abortSignal: signal },
      );
      const text = new TextDecoder().decode(bytes);
      if (error !== undefined)
        throw new GatehouseError(
          'ARM_CRASHED',
          `the function of the ${arm} ended with ${error}: ${text.slice(0, 500)}`,
          {
            arm,
          },
        );
      return JSON.parse(text) as unknown;
    },
  };
}
