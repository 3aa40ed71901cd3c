// From a file on the disk to a visited app, its limits, its trouble and its end: all by the console.
import assert from 'node:assert/strict';
import { picture } from '../browser.mjs';
import { APPS, CONSOLE, accessible, choose, guest, play, signIn } from './lib.mjs';

await play(async (page, context) => {
  await signIn(page);
  await page.getByText('No apps yet').waitFor();
  await accessible(page, 'no apps yet');

  // A component, dropped into the library.
  await page.getByRole('link', { name: 'Components' }).first().click();
  await page.locator('input[type=file]').first().setInputFiles(guest('stream'));
  // It is there when the library lists it: leaving the page before stops the upload.
  await page.locator('.library-name, .library-group', { hasText: 'stream' }).waitFor();

  // An app of another, uploaded in the form itself.
  await page.keyboard.press('Escape');
  await page.goto(`${CONSOLE}/apps/new`);
  await page.getByLabel('Display name').fill('My first app');
  assert.equal(await page.getByLabel('Application ID').inputValue(), 'my-first-app');
  await page.locator('input[type=file]').first().setInputFiles(guest('hello'));
  await page.getByText(/Uploaded as hello/).waitFor();
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: 'My first app' }).waitFor();
  await page.getByText('Waiting for a visit').first().waitFor();
  await picture(page, 'story-created');

  // The first visit starts it, in a tab of its own.
  const visit = context.waitForEvent('page');
  await page.locator('a[target=_blank]', { hasText: 'Visit' }).first().click();
  const visited = await visit;
  await visited.getByText('hello', { exact: false }).first().waitFor();
  await visited.close();
  await page.locator('[data-status=running]').first().waitFor();

  // It is counted.
  for (let count = 0; count < 5; count += 1) assert.equal((await fetch(`${APPS}/apps/my-first-app/`)).status, 200);
  await page.goto(`${CONSOLE}/apps`);
  await page.getByRole('row', { name: /My first app/ }).getByText(/^[5-9]$/).first().waitFor();
  await picture(page, 'story-counted');

  // One request at a time and no queue: the next one is refused, and the page says why.
  await page.goto(`${CONSOLE}/apps/my-first-app/component`);
  await choose(page, page.getByLabel('Component of the library'), /stream/);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('stream').first().waitFor();
  await page.goto(`${CONSOLE}/apps/my-first-app/limits`);
  await page.getByText('Custom', { exact: true }).click();
  await page.getByLabel('Requests at once', { exact: true }).fill('1');
  await page.getByLabel('Waiting requests').fill('0');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved').first().waitFor();
  await page.goto(`${CONSOLE}/apps/my-first-app`);
  await page.getByRole('heading', { level: 1, name: 'My first app' }).waitFor();
  const held = await fetch(`${APPS}/apps/my-first-app/events`);
  assert.equal(held.status, 200);
  assert.equal((await fetch(`${APPS}/apps/my-first-app/events`)).status, 503);
  await page.getByText(/queue was full/).first().waitFor();
  await page.locator('code:visible', { hasText: 'queue_full' }).first().waitFor();
  await picture(page, 'story-refused');
  await accessible(page, 'refused');

  // Stopped it stays stopped; started by Undo it serves again.
  await page.getByRole('button', { name: /^(stop )?Stop$/ }).first().click();
  await page.locator('[data-status=stopped]').first().waitFor();
  assert.equal((await fetch(`${APPS}/apps/my-first-app/`)).status, 503);
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.locator('[data-status=running], [data-status=waiting]').first().waitFor();

  // Its life is written down.
  await page.goto(`${CONSOLE}/apps/my-first-app/activity`);
  await page.getByText('root@test.example').first().waitFor();
  await picture(page, 'story-activity');

  // It goes, once its ID is typed.
  await page.goto(`${CONSOLE}/apps/my-first-app/danger`);
  await page.getByRole('button', { name: /Delete/ }).first().click();
  const dialog = page.getByRole('dialog');
  const sure = dialog.getByRole('button', { name: /^(delete )?Delete/ });
  assert.ok(await sure.isDisabled());
  await dialog.getByRole('textbox').fill('my-first-app');
  await accessible(page, 'deletion');
  await sure.click();
  await page.waitForURL(/\/apps$/);
  await page.getByText('No apps yet').waitFor();
  assert.equal((await fetch(`${APPS}/apps/my-first-app/`)).status, 404);
});
