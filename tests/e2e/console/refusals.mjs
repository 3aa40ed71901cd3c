// What cannot be: files that are no components, an app that does not start. Each says why, and nothing typed is lost.
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { picture } from '../browser.mjs';
import { APPS, CONSOLE, accessible, api, guest, play, signIn, token, upload } from './lib.mjs';

await play(async (page) => {
  const folder = mkdtempSync(join(tmpdir(), 'lodge-bad-'));
  const [text, core] = [join(folder, 'notes.wasm'), join(folder, 'core.wasm')];
  writeFileSync(text, 'these are my notes');
  writeFileSync(core, Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
  await signIn(page, '/components');

  // Several at once: the good one is taken, the others are refused with their reasons.
  await page.locator('input[type=file]').first().setInputFiles([text, core, guest('hello')]);
  await page.getByText(/this is a text file/).first().waitFor();
  await page.getByText(/core WebAssembly|core module|core wasm/i).first().waitFor();
  await page.getByRole('link', { name: /hello/ }).or(page.getByText('hello', { exact: true })).first().waitFor();
  await picture(page, 'refusals-uploads');
  await accessible(page, 'refused uploads');

  // In the form the refusal stands by the field, and what was typed stays.
  await page.goto(`${CONSOLE}/apps/new`);
  await page.getByLabel('Display name').fill('Keeps what I type');
  await page.locator('input[type=file]').first().setInputFiles(text);
  await page.getByText(/notes.wasm was not taken/).waitFor();
  assert.equal(await page.getByLabel('Display name').inputValue(), 'Keeps what I type');

  // An ID that is taken is said so while it is typed.
  const bearer = await token();
  const client = api(bearer);
  const digest = await upload(bearer, 'hello-p2');
  const limits = { memory_bytes: 1048576, instance_memory_bytes: 65536 };
  await client('POST', '/api/apps', { id: 'broken', display_name: 'Broken', component: { digest }, limits });
  await page.getByLabel('Application ID').fill('broken');
  await page.getByText(/has this ID|already/).first().waitFor();
  await page.getByLabel('Application ID').fill('Not An Id');
  await page.getByText(/lower-case/).first().waitFor();

  // An app that does not start: the visitor learns nothing, the console the cause.
  const visited = await fetch(`${APPS}/apps/broken/`);
  assert.equal(visited.status, 503);
  await page.goto(`${CONSOLE}/apps/broken`);
  await page.getByRole('button', { name: 'Leave' }).click({ timeout: 2_000 }).catch(() => undefined);
  await page.locator('[data-status=failed]').first().waitFor();
  await page.getByText(/memory/i).first().waitFor();
  await picture(page, 'refusals-failed-app');
  await accessible(page, 'failed app');
});
