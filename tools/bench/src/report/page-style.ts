/** Of the page around the charts; the colours are those of `chartStyle`. */
export const pageStyle = `
:root { color-scheme: light dark; }
body { background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif;
  max-width: 1080px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; }
dt, figcaption, small, summary, .legend, thead th { color: var(--ink-2); }
dd { margin: 0; overflow-wrap: anywhere; }
figure { margin: .8rem 0 1.6rem; max-width: 800px; }
figcaption { font-weight: 600; margin-bottom: .3rem; }
svg.chart { width: 100%; height: auto; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 14px; }
th, td { padding: .3rem .8rem .3rem 0; text-align: left; border-bottom: 1px solid var(--grid); vertical-align: top; }
td.number { white-space: nowrap; }
.legend span { margin-right: 1.2rem; white-space: nowrap; }
.legend i { display: inline-block; width: 12px; height: 12px; border-radius: 2px; margin-right: .4rem; }
.faults { border-left: 4px solid var(--limit); padding-left: .6rem; }
tr.over td:last-child { color: var(--limit); font-weight: 600; }
`;
