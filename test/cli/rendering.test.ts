import { expect, it } from 'vitest';
import { FORMATS, render } from '#cli/report.ts';

it.each(FORMATS)('a report as %s holds nothing that a terminal acts on', (format) => {
  const comment = 'numbers\u001b[1A\u001b[2K hold\u009b2J\u202e';
  const report = {
    data: { comment },
    sections: [
      { title: `on ${comment}`, lines: [comment] },
      { columns: ['person', 'comment'], rows: [['lea', comment]], empty: comment },
    ],
  };
  const text = render(report, format);
  // oxlint-disable-next-line no-control-regex -- that is what must not get through
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/u);
  expect(text).toContain('numbers');
  if (format === 'json') expect(JSON.parse(text)).toEqual({ comment });
});
