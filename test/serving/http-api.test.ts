import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { expect, it } from 'vitest';
import { httpApiHandler } from '#runtime/http-api.ts';
import type { EndpointResponse } from '#serving/protocol.ts';
import type { EndpointRequest } from '#serving/server.ts';

const ARRIVED = Date.parse('2026-03-02T09:00:00.000Z');

/** What the core is given for an event, and what API Gateway is given for an answer. */
async function handled(event: object, answer: EndpointResponse) {
  const given: EndpointRequest[] = [];
  const core = {
    handle: (request: EndpointRequest) => {
      given.push(request);
      return Promise.resolve(answer);
    },
    close: () => Promise.resolve(),
  };
  const whole = {
    rawPath: '/v2',
    headers: {},
    isBase64Encoded: false,
    requestContext: { requestId: 'call 1', timeEpoch: ARRIVED, http: { method: 'GET' } },
  };
  const result = await httpApiHandler(core)({ ...whole, ...event } as APIGatewayProxyEventV2);
  return { given, result };
}
const OK: EndpointResponse = { status: 200, headers: { 'content-type': 'application/json' }, body: '{}' };

it.each([
  ['text', '{"a":"é"}', false],
  ['base64', Buffer.from('{"a":"é"}').toString('base64'), true],
])('hands over a body that comes as %s as its bytes', async (_, body, isBase64Encoded) => {
  const event = {
    rawPath: '/v2/models/m/infer',
    body,
    isBase64Encoded,
    requestContext: { requestId: 'call 1', timeEpoch: ARRIVED, http: { method: 'POST' } },
  };
  const { given } = await handled(event, OK);
  expect(given).toEqual([
    {
      id: 'call 1',
      method: 'POST',
      path: '/v2/models/m/infer',
      headers: {},
      receivedAt: new Date(ARRIVED),
      body: Buffer.from('{"a":"é"}'),
    },
  ]);
});

it('hands over no body where there is none, and answers as the core does, also where it failed', async () => {
  const { given, result } = await handled({}, { ...OK, status: 500, fault: new Error('planted') });
  expect(given[0]).not.toHaveProperty('body');
  expect(result).toEqual({ statusCode: 500, headers: { 'content-type': 'application/json' }, body: '{}' });
});
