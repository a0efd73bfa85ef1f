import type { AsyncApiDocument, AsyncApiOperation } from './asyncapi.ts';
import type { JsonSchema } from './frame-schema.ts';
import { type Html, html } from './html.ts';
import { pageStyle } from './page-style.ts';

/** The AsyncAPI document as one HTML page that needs nothing else: no script, no font, no network. */
export function page(document: AsyncApiDocument): string {
  const { info, operations } = document;
  return `<!doctype html>\n${
    html`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${info.title}</title>
<style>${{ markup: pageStyle }}</style>
</head>
<body>
<header>
<h1>${info.title}</h1>
<p>${marked(info.description)}</p>
<p>Generated from <a href="asyncapi.json">asyncapi.json</a>. The rules behind the forms are in <a href="../protocol.md">protocol.md</a>.</p>
</header>
<nav><ul>
${Object.entries(operations).map(([name, { title }]) => html`<li><a href="#${name}">${title}</a></li>\n`)}<li><a href="#errors">Error texts</a></li>
<li><a href="#closes">Close codes</a></li>
</ul></nav>
<main>
${Object.entries(operations).map(([name, operation]) => section(document, name, operation))}
${errorsSection(document)}
${closesSection(document)}
</main>
</body>
</html>
`.markup
  }`;
}

function section(document: AsyncApiDocument, name: string, operation: AsyncApiOperation): Html {
  const [requester, replier] = operation.action === 'receive' ? ['Client', 'Server'] : ['Server', 'Client'];
  const articles = (messages: AsyncApiOperation['messages'], sender: string) =>
    messages.map(({ $ref }) => frameArticle(document, typeOf($ref), sender));
  return html`<section id="${name}">
<h2>${operation.title}</h2>
<p>${marked(operation.summary)} ${operation.description ? marked(operation.description) : ''}</p>
${articles(operation.messages, requester)}${articles(operation.reply?.messages ?? [], replier)}</section>
`;
}

function frameArticle(document: AsyncApiDocument, type: string, sender: string): Html {
  const schema = document.components.schemas[type] as {
    properties: { id: JsonSchema; payload: { properties: Record<string, JsonSchema> } };
  };
  const example = document.components.messages[type]?.examples[0];
  const { id, payload } = schema.properties;
  const fields: [string, JsonSchema][] = Object.entries(payload.properties);
  const rows = [['id', id] as const, ...fields.map(([key, field]) => [`payload.${key}`, field] as const)];
  return html`<article id="${type}">
<h3><span class="sender">${sender}</span> <code>${type}</code> <a href="schemas/${type}.json">schema</a></h3>
<table>
${rows.map(([key, field]) => html`<tr><th><code>${key}</code></th><td>${describeSchema(field)}</td><td>${marked(String(field.description ?? ''))}</td></tr>\n`)}</table>
${example ? html`<pre>${JSON.stringify(example.payload, null, 2)}</pre>\n` : ''}</article>
`;
}

function errorsSection(document: AsyncApiDocument): Html {
  return html`<section id="errors">
<h2>Error texts</h2>
<table>
<tr><th>text</th><th>the same request may succeed later</th></tr>
${document['x-error-texts'].map(({ text, mayRetry }) => html`<tr><td><code>${text}</code></td><td>${mayRetry ? 'yes' : 'no'}</td></tr>\n`)}</table>
<p>Faults of form begin with their place, such as <code>payload.group_id: must be an integer</code>:</p>
<ul>
${document['x-fault-texts'].map((text) => html`<li><code>${text}</code></li>\n`)}</ul>
</section>`;
}

function closesSection(document: AsyncApiDocument): Html {
  return html`<section id="closes">
<h2>Close codes</h2>
<table>
<tr><th>code</th><th>reason</th><th>reconnect</th></tr>
${document['x-close-codes'].map(({ code, reason, reconnect, reconnectAfterMs }) => html`<tr><td>${String(code)}</td><td>${reason}</td><td>${reconnect ? `after ${reconnectAfterMs} ms` : 'no'}</td></tr>\n`)}</table>
</section>`;
}

/** A schema in a few words: `string, 1 to 128 characters`. */
function describeSchema(schema: JsonSchema): string {
  const { type, minLength, maxLength, exclusiveMinimum, pattern, format, items } = schema;
  const lengths = [
    minLength === undefined ? '' : `at least ${minLength}`,
    maxLength === undefined ? '' : `at most ${maxLength}`,
  ].filter(Boolean);
  const words = [
    type === 'array' ? `list of ${describeSchema(items as JsonSchema)}` : String(type),
    lengths.length > 0 ? `${lengths.join(', ')} characters` : '',
    exclusiveMinimum === undefined ? '' : 'positive, below 2^53',
    format !== undefined ? String(format) : pattern === undefined ? '' : String(pattern),
  ];
  return words.filter(Boolean).join(', ');
}

/** Markdown with backticks and nothing else, which is all that the texts use. */
function marked(text: string): Html[] {
  return text.split('`').map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : html`${part}`));
}

function typeOf(reference: string): string {
  return reference.slice(reference.lastIndexOf('/') + 1);
}
