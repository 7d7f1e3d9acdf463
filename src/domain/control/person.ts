import { SeenText } from '../text.ts';

/** A person as audit records spell one: `person:<user name>`. */
export const Person = SeenText.regex(/^person:[^\s#]{1,128}$/, 'a person is spelled person:<user name>');

/** The spelling of a signed-in user. */
export function personOf(username: string): string {
  return Person.parse(`person:${username.toLowerCase()}`);
}
