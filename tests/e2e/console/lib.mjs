// What the console's plays share. A play is run by tests/integration (console.rs), which starts the host, says where
// it is by environment variables, and does what a play asks for on its standard output (`@restart` and the like).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { withBrowser } from '../browser.mjs';

export const { CONSOLE, APPS, EMAIL, PASSWORD, GUESTS } = process.env;

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The file of a guest. */
export const guest = (name) => join(GUESTS, `${name}.wasm`);

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Asks the test around the play to do something to the host, and waits until it is done. */
export async function ask(what) {
  console.log(`@${what}`);
  const { value } = await answers.next();
  return value;
}

/** Plays with a browser of its own; `work` gets the context and a first page. Errors of pages fail the play. */
export async function play(work) {
  await withBrowser(async (context) => {
    const failures = [];
    context.on('weberror', (error) => failures.push(String(error.error().stack)));
    context.on('console', (message) => {
      // The page asks who is signed in, and the answer may be: nobody. That is no fault of the page.
      const expected = /status of (401|404|409|422|429|503)|ERR_CONNECTION_REFUSED|ERR_INCOMPLETE|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/;
      if (message.type() === 'error' && !expected.test(message.text())) failures.push(message.text());
    });
    await context.addInitScript(() => {
      window.addEventListener('securitypolicyviolation', (event) => {
        console.error(`policy: ${event.violatedDirective} refused ${event.blockedURI} ${event.sample}`);
      });
    });
    const page = context.pages()[0] ?? (await context.newPage());
    await page.setViewportSize({ width: 1440, height: 900 });
    // What fades in has no contrast yet; and whoever asks for calm gets it.
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await work(page, context);
    assert.deepEqual(failures, []);
  });
  process.exit(0);
}

export async function signIn(page, path = '/', password = PASSWORD) {
  await page.goto(CONSOLE + path);
  await page.locator('input[type=email]').fill(EMAIL);
  await page.locator('input[type=password]').fill(password);
  await page.locator('button[type=submit]').click();
  await page.locator('#content').waitFor();
}

/** A token of the API, for what a play prepares behind the console's back. */
export async function token(password = PASSWORD) {
  const answer = await fetch(`${CONSOLE}/api/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: EMAIL, password }),
  });
  return (await answer.json()).token;
}

/** A client of the API. */
export function api(bearer) {
  return async (method, path, body) => {
    const headers = { authorization: `Bearer ${bearer}` };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const answer = await fetch(CONSOLE + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : null;
  };
}

/** Uploads a guest behind the console's back, and waits until it is compiled. */
export async function upload(bearer, name) {
  const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/wasm' };
  const answer = await fetch(`${CONSOLE}/api/components?name=${name}`, { method: 'POST', headers, body: readFileSync(guest(name)) });
  const { digest } = await answer.json();
  // A loaded machine compiles slowly: asked again, each time for as long as the host waits.
  let compiled;
  for (let asked = 0; asked < 4 && !['ready', 'failed'].includes(compiled?.status); asked += 1) {
    compiled = await api(bearer)('GET', `/api/components/${digest}?wait_ms=30000`);
  }
  assert.equal(compiled.status, 'ready');
  return digest;
}

/** Fails if axe finds something against WCAG 2.2 AA. */
export async function accessible(page, what) {
  await page.evaluate(axe);
  const violations = await page.evaluate(async () => {
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const found = await window.axe.run(document, { runOnly: tags });
    return found.violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.slice(0, 4).map((node) => `${node.target} ${node.html.slice(0, 160)} ${node.failureSummary?.slice(0, 300)}`) }));
  });
  assert.ok(violations.length === 0, `${what}: ${JSON.stringify(violations, null, 1)}`);
}

/** Fails if the page itself scrolls sideways. */
export async function fits(page, what) {
  const { wide, room } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, room: document.documentElement.clientWidth }));
  assert.ok(wide <= room + 1, `${what} is ${wide} px wide in ${room} px`);
}

/** Opens a list and takes an option. A list that a late answer of the host closed again is opened once more. */
export async function choose(page, select, option) {
  const wanted = page.locator('.ant-select-item-option', { hasText: option }).first();
  for (let tries = 0; tries < 4; tries += 1) {
    await select.click();
    if (await appears(wanted)) break;
    await page.keyboard.press('Escape');
  }
  await wanted.click();
}

function appears(locator) {
  return locator.waitFor({ timeout: 4_000 }).then(
    () => true,
    () => false,
  );
}
