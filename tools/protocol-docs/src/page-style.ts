/** Follows the reader's own colours, light or dark. */
export const pageStyle = `
:root { color-scheme: light dark; }
body { margin: 0 auto; max-width: 62rem; padding: 1rem 1.5rem 6rem; font: 1rem/1.5 system-ui, sans-serif; }
header p { max-width: 44rem; }
h1 { margin-bottom: 0.25rem; }
h2 { margin-top: 3rem; border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
h3 { font-size: 1rem; margin: 1.5rem 0 0.5rem; }
h3 a { font-weight: normal; }
nav ul { columns: 14rem; padding-left: 1.25rem; }
code, pre { font-family: ui-monospace, monospace; font-size: 0.875rem; overflow-wrap: anywhere; }
pre { padding: 0.75rem 1rem; overflow-x: auto; background: color-mix(in srgb, currentColor 7%, transparent); }
table { width: 100%; border-collapse: collapse; }
td, th { padding: 0.25rem 1rem 0.25rem 0; text-align: left; vertical-align: top; font-weight: normal; }
tr + tr { border-top: 1px solid color-mix(in srgb, currentColor 12%, transparent); }
.sender { display: inline-block; min-width: 3.5rem; padding: 0 0.5rem; border: 1px solid; border-radius: 1rem; text-align: center; font-size: 0.8rem; }
`;
