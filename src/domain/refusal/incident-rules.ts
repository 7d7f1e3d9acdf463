import { rulesOf } from './rule.ts';

const incident = rulesOf('incident_opened');

/** The rules by which what people do with incidents is refused. */
export const INCIDENT_RULES = {
  'incident-known': incident(404, 'the incident exists', 'see which there are: gatehouse incident list --all'),
  'incident-unique': incident(409, 'the name that was given is of one incident', 'give more of its name'),
  'incident-open': incident(
    409,
    'an incident is changed only while it is not closed',
    'what happens again opens another',
  ),
  'incident-parts': incident(
    409,
    'an incident is closed when each of its parts has ended',
    'end them: gatehouse incident settle INCIDENT --part PART --as accepted --reason TEXT',
  ),
  'incident-part-known': incident(404, 'the incident has the part'),
  'incident-part-open': incident(409, 'a part ends once', 'nothing has to be done'),
  'incident-recomputed': incident(
    409,
    'predictions count as recomputed when none is of the bad release',
    'start a run: gatehouse prediction run MODEL',
  ),
  'root-cause': incident(422, 'a root cause is a text of 20 characters to 64 KB', 'write why it happened to a file'),
} as const;
