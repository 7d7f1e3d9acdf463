import { expect, it } from 'vitest';
import { ENVIRONMENTS } from '#model/config.ts';
import { namesOf } from '#model/names.ts';
import config from '../../gatehouse.config.ts';
import { alarms } from './_alarms.ts';
import { keeping } from './_keeping.ts';
import { normalised } from './_normalise.ts';
import { rights } from './_rights.ts';
import { sharing } from './_sharing.ts';
import { synthesised } from './_synth.ts';

// One file, because the synthesis that they share takes seconds.
rights();
sharing();
keeping();
alarms();

it('is deployed account by account, as its snapshots say', async () => {
  for (const { environment, name, account, template } of await synthesised()) {
    expect(account).toBe(namesOf(config, ENVIRONMENTS.find((each) => each === environment) ?? 'dev').account);
    // The command line reads the outputs of this one stack, by its name.
    if (environment === 'control') expect(name).toContain(namesOf(config, 'control').name('Control'));
    const file = `snapshots/${/\/(\w+)/.exec(name)?.[1]?.toLowerCase() ?? name}.${environment}.snap`;
    await expect(`${JSON.stringify(normalised(template), null, 1)}\n`).toMatchFileSnapshot(file);
  }
});
