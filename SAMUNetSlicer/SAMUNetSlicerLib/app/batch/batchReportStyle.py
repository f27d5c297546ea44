"""The look of a batch's report: light and dark, wide and narrow, on screen and on paper."""

STYLE = """
:root { color-scheme: light dark; --page: #f6f7f9; --card: #ffffff; --ink: #1c2430; --soft: #5b6675;
  --line: #dfe3e9; --done: #1f7a4d; --review: #a15c00; --failed: #b3261e; --queued: #5b6675;
  --good: #2e9e68; --fair: #d8921a; --poor: #d1453b; --link: #0b5cad; }
@media (prefers-color-scheme: dark) { :root { --page: #12161c; --card: #1b212a; --ink: #e6eaf0;
  --soft: #9aa6b5; --line: #2f3843; --done: #57c08b; --review: #e8ab4f; --failed: #f2877f;
  --queued: #9aa6b5; --good: #3fae79; --fair: #d8921a; --poor: #e0625a; --link: #7db8f5; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.5rem 4rem; max-width: 76rem; background: var(--page);
  color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
h1 { font-size: 1.6rem; margin: 0; letter-spacing: -0.01em; }
h2 { font-size: 1.1rem; margin: 2.4rem 0 0.8rem; }
a { color: var(--link); text-decoration: none; } a:hover { text-decoration: underline; }
.soft { color: var(--soft); } .small { font-size: 0.85rem; } p { margin: 0.3rem 0; }
.numbers { display: grid; gap: 0.8rem; margin-top: 1.4rem;
  grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); }
.number, .card, table { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.number { padding: 0.7rem 1rem; } .number b { display: block; font-size: 1.5rem; line-height: 1.25; }
.done { color: var(--done); } .review { color: var(--review); } .failed { color: var(--failed); }
.queued { color: var(--queued); }
.gallery { display: grid; gap: 0.9rem; grid-template-columns: repeat(auto-fill, minmax(11.5rem, 1fr)); }
.card { overflow: hidden; } .card .text { padding: 0.5rem 0.8rem 0.8rem; }
.card img { display: block; width: 100%; aspect-ratio: 1; object-fit: contain; background: #000; }
.name { font-weight: 600; overflow-wrap: anywhere; }
.bar { height: 5px; border-radius: 3px; background: var(--line); margin-top: 0.4rem; overflow: hidden; }
.bar i { display: block; height: 100%; border-radius: 3px; }
.good { background: var(--good); } .fair { background: var(--fair); } .poor { background: var(--poor); }
.scroll { overflow-x: auto; } table { width: 100%; border-collapse: separate; border-spacing: 0; }
th, td { padding: 0.6rem 0.8rem; text-align: left; vertical-align: top; border-top: 1px solid var(--line); }
th { border-top: 0; font-weight: 600; color: var(--soft); font-size: 0.82rem; white-space: nowrap; }
td.value, th.value { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td img { display: block; width: 5.5rem; height: 5.5rem; object-fit: contain; background: #000;
  border-radius: 6px; }
td ul { margin: 0; padding: 0; list-style: none; } td li { white-space: nowrap; }
td.what { min-width: 14rem; } footer { margin-top: 2rem; }
.state { font-weight: 600; white-space: nowrap; }
@media print { body { max-width: none; padding: 0; } .card, tr { break-inside: avoid; } }
"""
