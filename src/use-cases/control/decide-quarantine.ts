import { quarantineEvent, type QuarantineVote } from '#domain/control/quarantine-vote.ts';
import { recordVote, type VoteResult } from './record-vote.ts';
import type { Asking } from './request-promotion.ts';

/** Records a person's vote to lift a quarantine in control's chain. */
export function decideQuarantine(deps: Asking, username: string, vote: QuarantineVote): Promise<VoteResult> {
  const { environment, release, rollback } = vote;
  return recordVote(deps, username, vote, {
    verb: 'decide-quarantine',
    about: [environment, release, rollback],
    eventOf: (subject, role) => quarantineEvent(vote, subject, role),
  });
}
