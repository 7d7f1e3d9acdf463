import { html, raw } from 'hono/html';

/** Text that is ready to stand in a page: everything that was put into it was escaped, or was made by ourselves. */
export type Markup = ReturnType<typeof html>;

/** A table; columns after the first hold numbers unless they are named as texts. */
export function table(
  columns: readonly string[],
  rows: readonly (readonly unknown[])[],
  texts: readonly number[] = [0],
): Markup {
  const kind = (index: number): string => (texts.includes(index) ? 'text' : 'number');
  return html`<div class="wide">
    <table>
      <thead>
        <tr>
          ${columns.map((column, index) => html`<th class="${kind(index)}" scope="col">${column}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${row.map((cell, index) => html`<td class="${kind(index)}">${cell}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** A picture with what it shows, for those who cannot see it as well. */
export async function figure(picture: Promise<string>, caption: unknown): Promise<Markup> {
  return html`<figure>
    ${raw(await picture)}
    <figcaption>${caption}</figcaption>
  </figure>`;
}

/** Names with what they stand for. */
export function facts(pairs: readonly (readonly [name: string, value: unknown])[]): Markup {
  return html`<dl>
    ${pairs.map(
      ([name, value]) =>
        html`<dt>${name}</dt>
          <dd>${value}</dd>`,
    )}
  </dl>`;
}
