// What the first page weighs, and how soon it can be used. The weight is held to its budget; the time is a figure.
import assert from 'node:assert/strict';
import { CONSOLE, EMAIL, PASSWORD, api, play, token, upload } from './lib.mjs';

/** Scripts, styles, fonts and pictures of the first page, in bytes as sent. */
const BUDGET = 350 * 1024;

await play(async (page, context) => {
  const bearer = await token();
  const digest = await upload(bearer, 'hello');
  await api(bearer)('POST', '/api/apps', { id: 'hello', component: { digest } });
  const door = await weigh(context, page, CONSOLE, () => page.locator('input[type=password]').waitFor());
  await page.locator('input[type=email]').fill(EMAIL);
  await page.locator('input[type=password]').fill(PASSWORD);
  await page.locator('button[type=submit]').click();
  await page.getByRole('button', { name: 'Stop hello' }).waitFor();
  const apps = await weigh(context, page, `${CONSOLE}/apps`, () => page.getByRole('button', { name: 'Stop hello' }).waitFor());
  for (const [name, { bytes, ms, files }] of Object.entries({ 'sign-in': door, apps })) {
    console.log(`${name}: ${(bytes / 1024).toFixed(1)} KiB in ${files} files, can be used after ${ms} ms`);
    assert.ok(bytes <= BUDGET, `${name} weighs ${bytes} bytes, ${BUDGET} are allowed`);
  }
});

/** Loads an address with nothing kept, until `usable`. */
async function weigh(context, page, address, usable) {
  const client = await context.newCDPSession(page);
  await client.send('Network.enable');
  await client.send('Network.clearBrowserCache');
  const sent = new Map();
  const types = new Map();
  client.on('Network.responseReceived', ({ requestId, response }) => types.set(requestId, response.url));
  client.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => sent.set(requestId, encodedDataLength));
  const begun = performance.now();
  await page.goto(address);
  await usable();
  const ms = Math.round(performance.now() - begun);
  await page.waitForTimeout(500);
  const files = [...sent].filter(([id]) => types.get(id)?.includes('/assets/'));
  await client.detach();
  return { bytes: files.reduce((sum, [, bytes]) => sum + bytes, 0), files: files.length, ms };
}
