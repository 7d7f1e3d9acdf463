import { describe, expect, it } from 'vitest';
import { noticeText } from '#adapters/aws/notices.ts';
import { readApprovalRequests } from '#read-model/requests.ts';
import { showRequest } from '#use-cases/control/show-request.ts';
import { receiveRequest } from '#use-cases/control/receive-request.ts';
import { asks, control, MODEL, PROMOTION, RELEASE } from './_control.ts';

describe('receiveRequest', () => {
  it('keeps a request and tells the approvers once, however often the record comes', async () => {
    const here = control();
    const { hash } = await here.hears(asks(), 'prod', 3);
    const [request, ...others] = await readApprovalRequests(here.ledger, here.models);
    expect(others).toEqual([]);
    expect(request).toMatchObject({ promotion: PROMOTION, status: 'waiting', environment: 'prod', requestHash: hash });
    expect(here.notices.sent).toHaveLength(1);
  });

  it('tells the approvers later when telling them failed at first', async () => {
    const here = control();
    const broken = receiveRequest({ ...here, notices: { askApprovers: () => Promise.reject(new Error('no topic')) } });
    const { record, hash } = await control().hears(asks());
    await expect(broken(record, hash)).rejects.toThrow('no topic');
    await receiveRequest(here)(record, hash);
    expect(here.notices.sent).toHaveLength(1);
  });

  it('says in a notice what is asked, and gives nothing that acts', async () => {
    const here = control();
    await here.hears(asks());
    const text = here.notices.sent.map(noticeText).join();
    expect(text).toContain('flight-delay@1.2.0 is to be promoted to prod');
    expect(text).toContain(RELEASE);
    expect(text).not.toMatch(/https?:|token/i);
  });

  it('closes a request by what ends its promotion, in the environment that asked', async () => {
    const here = control();
    await here.hears(asks());
    const details = { promotion: PROMOTION, rule: 'promotion-deadline' as const, reasons: ['nobody decided'] };
    const refused = { code: 'PROMOTION_REFUSED', actor: 'pipeline:release', release: RELEASE, details } as const;
    await here.hears(refused, 'staging');
    expect((await showRequest(here.ledger, MODEL, PROMOTION))?.request.status).toBe('waiting');
    await here.hears(refused, 'prod');
    expect((await showRequest(here.ledger, MODEL, PROMOTION))?.request).toMatchObject({
      status: 'refused',
      ending: 'promotion-deadline: nobody decided',
    });
  });

  it('closes a request that a newer promotion pushed aside', async () => {
    const here = control();
    await here.hears(asks());
    const details = {
      promotion: 'newer',
      transition: 'prod',
      policy: RELEASE,
      fencingToken: 2,
      requestedBy: 'pipeline:dev',
      supersedes: PROMOTION,
    };
    await here.hears({ code: 'PROMOTION_OPENED', actor: 'pipeline:release', release: RELEASE, details });
    expect((await showRequest(here.ledger, MODEL, PROMOTION))?.request.status).toBe('superseded');
  });

  it('ignores the end of a promotion of which no approval was requested', async () => {
    const here = control();
    await here.hears({
      code: 'PROMOTION_FAILED',
      actor: 'x',
      release: null,
      details: { promotion: 'p', state: 's', error: '' },
    });
    expect(await readApprovalRequests(here.ledger, here.models)).toEqual([]);
  });
});
