import { beforeEach, describe, expect, it } from 'vitest';
import type { RuleId } from '#domain/refusal/refusal.ts';
import { MAX_BODY_BYTES } from '#serving/protocol.ts';
import { inputs, online, serving, type Tensor, TODAY, YESTERDAY } from './_endpoint.ts';

let here: Awaited<ReturnType<typeof serving>>;
beforeEach(async () => {
  here = await serving();
});

/** The usual request with another tensor in the place of one of its own, or without it. */
function withInput(name: string, change: Partial<Tensor> | undefined): Tensor[] {
  return inputs().flatMap((tensor) => {
    if (tensor.name !== name) return [tensor];
    return change === undefined ? [] : [{ ...tensor, ...change }];
  });
}

describe('a request is refused, by its field,', () => {
  it.each<readonly [what: string, body: unknown, status: number, rule: RuleId, says: string | RegExp]>([
    ['that is no JSON', '{"inputs": [', 400, 'body-json', /.*; send missing values as null$/],
    ['with NaN', '{"inputs": [{"data": [NaN]}]}', 400, 'body-json', /.*NaN/],
    ['without inputs', {}, 400, 'inference-request', /inputs: .*; correct the named field$/],
    [
      'with a tensor of another form',
      { inputs: [{ name: 'id', shape: 'one' }] },
      400,
      'inference-request',
      /inputs\.0\./,
    ],
    [
      'with a nested tensor',
      { inputs: withInput('price', { data: [[0.5]] }) },
      400,
      'inference-request',
      /inputs\.7\.data/,
    ],
    [
      'with a binary tensor',
      { inputs: withInput('price', { data: undefined, parameters: { binary_data_size: 8 } }) },
      400,
      'tensors-as-json',
      'input price has parameter binary_data_size; with tritonclient, set binary_data=False for every input',
    ],
    [
      'with a tensor elsewhere',
      { inputs: withInput('price', { data: undefined }) },
      400,
      'tensors-as-json',
      /input price/,
    ],
    [
      'with an unknown input',
      { inputs: [...inputs(), { name: 'x', datatype: 'FP64', shape: [1], data: [1] }] },
      422,
      'inputs-known',
      /input x is no event column/,
    ],
    [
      'with nulls of no input',
      { inputs: inputs(), parameters: { 'nulls.x': '0' } },
      422,
      'inputs-known',
      /parameter nulls\.x/,
    ],
    [
      'with an input twice',
      { inputs: [...inputs(), ...inputs().slice(0, 1)] },
      422,
      'inputs-complete',
      /input id is there twice/,
    ],
    ['without an input', { inputs: withInput('price', undefined) }, 422, 'inputs-complete', /input price is missing/],
    ['without its time', { inputs: withInput('at', undefined) }, 422, 'inputs-complete', /input at is missing/],
    [
      'without its context',
      { inputs: inputs().filter(({ name }) => !name.startsWith('context.')) },
      422,
      'inputs-complete',
      /input context\.at is missing/,
    ],
    [
      'of another datatype',
      { inputs: withInput('price', { datatype: 'FP32' }) },
      422,
      'input-datatype',
      /input price is FP32, its column is FP64/,
    ],
    [
      'of another shape',
      { inputs: withInput('price', { shape: [1, 1] }) },
      422,
      'input-shape',
      /input price has shape \[1, 1\] and 1 values/,
    ],
    [
      'of other rows',
      { inputs: withInput('price', { shape: [2], data: [1, 2] }) },
      422,
      'input-shape',
      /input price has 2 rows, input at has 1/,
    ],
    [
      'with a text for a number',
      { inputs: withInput('price', { data: ['1'] }) },
      422,
      'input-values',
      /input price is "1" in row 0; send a finite number/,
    ],
    [
      'with an infinite number',
      JSON.stringify({ inputs: inputs([{ price: 1 }]) }).replace('"data":[1]', '"data":[1e999]'),
      422,
      'input-values',
      /input price/,
    ],
    [
      'with a fraction for an integer',
      { inputs: withInput('seat', { data: [1.5] }) },
      422,
      'input-values',
      /input seat is 1\.5/,
    ],
    [
      'with an integer of more bits',
      { inputs: withInput('row', { data: [2 ** 31] }) },
      422,
      'input-values',
      /input row is 2147483648/,
    ],
    [
      'with an integer of more than 64 bits',
      JSON.stringify({ inputs: inputs([{ seat: 1 }]) }).replace('"data":[1]', '"data":[9223372036854775808]'),
      422,
      'input-values',
      /input seat is 9223372036854775808/,
    ],
    ['with a number for a truth', { inputs: withInput('vip', { data: [1] }) }, 422, 'input-values', /input vip is 1/],
    [
      'with a day that there is not',
      { inputs: withInput('born', { data: ['1990-02-30'] }) },
      422,
      'input-values',
      /input born/,
    ],
    [
      'with a time without zone',
      { inputs: withInput('at', { data: [`${TODAY}T08:00:00`] }) },
      422,
      'input-values',
      /input at .*send a UTC time/,
    ],
    [
      'with a time of nanoseconds',
      { inputs: withInput('at', { data: [`${TODAY}T08:00:00.1234567Z`] }) },
      422,
      'input-values',
      /input at/,
    ],
    ['with half a character', { inputs: withInput('who', { data: ['\uD800'] }) }, 422, 'input-values', /input who/],
    [
      'with an id that is null',
      { inputs: withInput('id', { data: [null] }) },
      422,
      'input-nulls',
      /input id is null in row 0/,
    ],
    [
      'with a time that is null',
      { inputs: inputs(), parameters: { 'nulls.at': '0' } },
      422,
      'input-nulls',
      /input at is null in row 0/,
    ],
    [
      'with nulls of rows that are not there',
      { inputs: inputs(), parameters: { 'nulls.price': '1' } },
      422,
      'input-nulls',
      /parameter nulls\.price names row 1/,
    ],
    ['of no rows', { inputs: inputs([]) }, 422, 'rows-per-request', /the request has 0 rows; send 1 to 3/],
    [
      'of too many rows',
      { inputs: inputs(['a', 'b', 'c', 'd'].map((id) => ({ id }))) },
      422,
      'rows-per-request',
      /the request has 4 rows/,
    ],
    ['with an event twice', { inputs: inputs([{}, {}]) }, 422, 'request-ids-unique', /input id: e1 is there twice/],
    ['with an event in its own context', { inputs: inputs([{}], [{}]) }, 422, 'request-ids-unique', /input id: e1/],
    [
      'of two days',
      { inputs: inputs([{}, { id: 'e2', at: `${YESTERDAY}T08:00:00Z` }]) },
      422,
      'events-of-one-day',
      /input at is of/,
    ],
    [
      'of a day before yesterday',
      { inputs: inputs([{ at: '2026-02-28T08:00:00Z' }]) },
      422,
      'event-day-served',
      /input at is of 2026-02-28; served are 2026-03-01, 2026-03-02/,
    ],
    ['of tomorrow', { inputs: inputs([{ at: '2026-03-03T08:00:00Z' }]) }, 422, 'event-day-served', /./],
    ['for an unknown output', { inputs: inputs(), outputs: [{ name: 'label' }] }, 422, 'outputs-known', /output label/],
    [
      'that is too large',
      'x'.repeat(MAX_BODY_BYTES + 1),
      413,
      'body-size',
      'the body has 1000001 bytes; send fewer rows per request',
    ],
  ])('%s', async (_, body, status, rule, says) => {
    const response = await here.send('POST', '/v2/models/toy/infer', body);
    const { error, ...rest } = response.json;
    expect(rest).toEqual({});
    expect(String(error).slice(0, rule.length + 2)).toBe(`${rule}: `);
    expect(String(error).slice(rule.length + 2)).toMatch(says);
    expect(response.status).toBe(status);
  });

  it('with a header of binary tensors', async () => {
    const response = await here.send('POST', '/v2/models/toy/infer', '{}\0\0', {
      'Inference-Header-Content-Length': '2',
    });
    expect(response).toMatchObject({ status: 400 });
    expect(response.json['error']).toMatch(
      /^tensors-as-json: the request has a header Inference-Header-Content-Length/,
    );
  });

  it('with context where the model takes none', async () => {
    const of = {
      ...online,
      online: {
        ...online.online,
        context: [],
        maxRows: 3,
        maxAggregateAgeDays: 2,
        objectiveMs: 1000,
        pointerMaxAgeSeconds: 5,
        retentionDays: 30,
      },
    };
    await here.promote(await here.release('release 200', of));
    expect((await here.infer()).json.error).toMatch(/^inputs-known: input context\.id is no event column/);
    const alone = inputs().filter(({ name }) => !name.startsWith('context.'));
    expect((await here.infer(alone)).probabilities).toEqual([0.2]);
  });

  it('where answering it fails, and the host is told the fault', async () => {
    await here.infer();
    here.during.read = () => Promise.reject(new Error('no answer'));
    await here.core.close();
    const fault = new Error('the engine broke');
    delete here.during.read;
    here.features.open = () =>
      Promise.resolve({
        until: null,
        featuresOf: () => Promise.reject(fault),
        load: async () => {},
        close: async () => {},
      });
    const response = await here.infer();
    expect(response).toMatchObject({ status: 500, fault });
    expect(response.json.error).toBe('answer-computed: the engine broke; see the log of the endpoint');
  });

  it('where feature SQL refuses it', async () => {
    here.features.open = async () => ({
      until: null,
      featuresOf: async () => ({
        kind: 'refused',
        refusal: { rule: 'features-finite', found: 'price is NaN', remedy: 'correct features.sql' },
      }),
      load: async () => {},
      close: async () => {},
    });
    expect(await here.infer()).toMatchObject({
      status: 422,
      json: { error: 'features-finite: price is NaN; correct features.sql' },
    });
  });
});
