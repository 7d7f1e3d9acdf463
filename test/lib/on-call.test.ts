import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { expect, it } from 'vitest';
import { Exchange } from '#lib/constructs/exchange.ts';
import { namesOf } from '#model/names.ts';
import config from '../../gatehouse.config.ts';

it('sends the notices of incidents to the people of the role that is notified, beside what everybody gets', () => {
  const stack = new Stack(new App(), 'Registry');
  const [everybody = ''] = config.alerts;
  const exchange = new Exchange(stack, 'Exchange', {
    config: {
      ...config,
      onCall: { platform: ['pat@example.com', everybody], 'ml-lead': ['lea@example.com', 'pat@example.com'] },
    },
    environment: 'control',
    names: namesOf(config, 'control'),
    bundleOf: () => import.meta.dirname,
    logDays: 30,
    architecture: 'arm64',
  });
  expect(exchange.node.scope).toBe(stack);
  const subscriptions = Object.values(Template.fromStack(stack).findResources('AWS::SNS::Subscription'));
  const of = (address: string) =>
    subscriptions
      .filter(({ Properties }) => Properties['Endpoint'] === address)
      .map(({ Properties }) => Properties['FilterPolicy'] as unknown);
  expect(of('pat@example.com')).toEqual([{ role: ['platform', 'ml-lead'] }]);
  expect(of('lea@example.com')).toEqual([{ role: ['ml-lead'] }]);
  // Who gets everything gets it once.
  expect(of(everybody)).toEqual([undefined]);
});
