import { cognitoUserPool, type UserPool } from '#adapters/aws/user-pool.ts';
import type { Context } from '../../context.ts';
import { refuse } from '../../refusal.ts';

/** Control's user pool by the caller's own AWS credentials: a signed-in person has no right to it. */
export async function peopleOf(context: Context): Promise<UserPool> {
  const control = context.cloud('control');
  const pool = (await control.outputs('Control'))['UserPoolId'];
  if (pool === undefined)
    return refuse('environment-deployed', 'control is not deployed', 'run: gatehouse deploy control');
  return cognitoUserPool(control.cognito, pool);
}
