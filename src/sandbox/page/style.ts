import { createHash } from 'node:crypto';

/** The page's only style sheet. It stands in the page, and the content security policy lets in nothing but its digest. */
export const style = `
:root { color-scheme: light dark; --ink: #14213d; --paper: #ffffff; --ground: #eef1f6; --line: #d5dbe6; --accent: #1f5eff; --quiet: #5b6780; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ecf5; --paper: #171d2b; --ground: #0e131e; --line: #2c3549; --accent: #7aa2ff; --quiet: #9aa6bd; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.25rem; background: var(--ground); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; }
main { width: 100%; max-width: 30rem; background: var(--paper); border: 1px solid var(--line); border-radius: 1rem; padding: 1.75rem; box-shadow: 0 1rem 3rem rgb(20 33 61 / 12%); }
.mark { margin: 0 0 1.25rem; color: var(--quiet); font-size: .85rem; letter-spacing: .04em; text-transform: uppercase; }
h1 { margin: 0 0 .5rem; font-size: 1.45rem; line-height: 1.25; }
ol { display: flex; gap: .4rem; list-style: none; margin: 0 0 1.5rem; padding: 0; }
ol li { flex: 1; height: .35rem; border-radius: .2rem; background: var(--line); }
ol li.done { background: var(--accent); }
ol span { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.frame { display: grid; place-items: center; margin: 1.25rem 0; padding: 2rem 1rem; border: 2px dashed var(--line); border-radius: .75rem; color: var(--quiet); text-align: center; }
fieldset { margin: 1.25rem 0; padding: 0; border: 0; }
legend, .field { font-weight: 600; margin-bottom: .5rem; padding: 0; }
label.choice { display: flex; gap: .75rem; align-items: baseline; padding: .65rem .8rem; margin-bottom: .4rem; border: 1px solid var(--line); border-radius: .6rem; cursor: pointer; }
label.choice small { display: block; color: var(--quiet); }
select { width: 100%; margin-bottom: 1.25rem; padding: .6rem; font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: .6rem; }
button { width: 100%; padding: .8rem 1rem; font: inherit; font-weight: 600; color: #fff; background: #1f5eff; border: 0; border-radius: .6rem; cursor: pointer; }
button.quiet { margin-top: .6rem; color: var(--quiet); background: transparent; }
button:focus-visible, input:focus-visible, select:focus-visible, a:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
a { color: var(--accent); }
footer { margin-top: 1.5rem; color: var(--quiet); font-size: .85rem; }
`;

export const styleDigest = `'sha256-${createHash('sha256').update(style).digest('base64')}'`;
