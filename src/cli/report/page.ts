const style = `
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --paper: #fff; --panel: #f5f7fa; --line: #dde3ea;
  --train: #7a8ca5; --validation: #d98b1f; --test: #1769c2; --good: #1d7f4a; --bad: #b3372f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e9f0; --soft: #9aa6b5; --paper: #12161c; --panel: #1b2129;
  --line: #2e3742; --train: #8393aa; --validation: #f0a742; --test: #5aa9f5; --good: #5cc98c; --bad: #f0847c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.55 system-ui, sans-serif; }
main { max-width: 1040px; margin: 0 auto; padding: 2rem 1.1rem 4rem; }
h1 { font-size: 1.7rem; margin: 0 0 .2rem; letter-spacing: -.01em; }
h2 { font-size: 1.15rem; margin: 2.4rem 0 .6rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); }
h3 { font-size: .95rem; margin: 1.2rem 0 .3rem; }
p { margin: .4rem 0; max-width: 46rem; } p, li, td, figcaption { overflow-wrap: anywhere; } .soft { color: var(--soft); }
.verdict { background: var(--panel); border-left: 4px solid var(--good); padding: .7rem 1rem; border-radius: 4px; margin: 1rem 0; }
.verdict.bad { border-color: var(--bad); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: .7rem; margin: 1rem 0; }
.tile { background: var(--panel); border-radius: 6px; padding: .6rem .8rem; }
.tile b { display: block; font-size: 1.25rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.tile span { color: var(--soft); font-size: .82rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; margin: .4rem 0; }
th, td { padding: .28rem .7rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--soft); } th.word, td.word { text-align: left; }
tr.head td { font-weight: 600; padding-top: .7rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 1.2rem; }
figure { margin: 0; } figure svg { width: 100%; height: auto; } figcaption { color: var(--soft); font-size: .82rem; }
.key i { display: inline-block; width: .75em; height: .75em; border-radius: 50%; margin: 0 .35em 0 .9em; }
pre { background: var(--panel); padding: .8rem 1rem; border-radius: 6px; overflow-x: auto; font-size: .8rem; line-height: 1.45; }
@media print { body { font-size: 11px; } h2 { break-after: avoid; } figure { break-inside: avoid; } }
`;

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Text made safe for HTML. */
export const escape = (text: string): string => text.replaceAll(/[&<>"]/g, (c) => entities[c]);

/** A table; columns of words stand to the left. */
export function htmlTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  words: readonly number[] = [0],
): string {
  const kind = (c: number) => (words.includes(c) ? ' class="word"' : "");
  const cells = (row: readonly string[]) => row.map((t, c) => `<td${kind(c)}>${escape(t)}</td>`).join("");
  const heads = head.map((t, c) => `<th${kind(c)}>${escape(t)}</th>`).join("");
  const body = rows.map((row) => `<tr>${cells(row)}</tr>`).join("\n");
  return `<div class="scroll"><table><thead><tr>${heads}</tr></thead><tbody>${body}</tbody></table></div>`;
}

/** A headed section; nothing at all where there is nothing to say. */
export const section = (title: string, ...parts: readonly (string | undefined)[]): string => {
  const body = parts.filter(Boolean).join("\n");
  return body ? `<section><h2>${escape(title)}</h2>\n${body}\n</section>` : "";
};

/** A complete document without any outside reference. */
export const page = (title: string, ...sections: readonly string[]): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title><style>${style}</style></head>
<body><main>
${sections.join("\n")}
</main></body></html>
`;
