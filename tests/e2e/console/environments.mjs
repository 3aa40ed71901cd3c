// Several environments: three workers seen, cordoned, chosen for an app, drained, lost and removed. The test around the
// play has a supervisor, and does what is asked for: `@worker NAME` starts a worker of that name, `@kill NAME` ends it
// at once. Each is answered when done.
import assert from 'node:assert/strict';
import { CONSOLE, accessible, api, ask, choose, fits, play, signIn, token, upload } from './lib.mjs';

await play(async (page, context) => {
  const bearer = await token();
  await upload(bearer, 'hello');
  await signIn(page, '/environments');

  // Nothing yet: how to start one is told.
  await page.getByText('No worker has joined yet').waitFor();
  await page.getByRole('button', { name: 'Start a worker' }).first().click();
  await page.getByText('APP_MODE=worker').waitFor();
  await page.keyboard.press('Escape');

  // They appear by themselves.
  const names = ['east', 'west', 'north'];
  for (const name of names) await ask(`worker ${name}`);
  const row = (name) => page.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) });
  for (const name of names) await row(name).getByText('Online').waitFor();
  for (const check of [fits, accessible]) await check(page, 'environments');

  // A cordon, taken back, and put again.
  const menu = async (name, item) => {
    await page.getByRole('button', { name: `Actions for ${name}` }).click();
    await page.getByRole('menuitem', { name: item }).click();
  };
  await menu('west', /^.*Cordon/);
  await row('west').getByText('Cordoned').waitFor();
  await page.getByRole('button', { name: 'Undo' }).click();
  await row('west').getByText('Cordoned').waitFor({ state: 'detached' });
  await menu('west', /^.*Cordon/);
  await row('west').getByText('Cordoned').waitFor();

  // The form says why it cannot be chosen, and what it takes for two.
  await page.goto(`${CONSOLE}/apps/new`);
  await page.getByText('Let Lodge choose').waitFor();
  assert.ok(await page.getByRole('radio', { name: /Let Lodge choose/ }).isChecked());
  await page.getByRole('radio', { name: /Choose environments/ }).check();
  assert.ok(await page.getByRole('checkbox', { name: /west/ }).isDisabled());
  assert.ok(await page.getByRole('checkbox', { name: /west.*cordoned/ }).isVisible());
  await page.getByRole('checkbox', { name: /east/ }).check();
  for (const check of [fits, accessible]) await check(page, 'a new app among several environments');
  await page.getByRole('radio', { name: /Let Lodge choose/ }).check();

  // One app in two of the three, made and started in the form: each status stands by itself, and each can be visited.
  await page.goto(`${CONSOLE}/environments`);
  await menu('west', /Uncordon/);
  await row('west').getByText('Cordoned').waitFor({ state: 'detached' });
  await page.goto(`${CONSOLE}/apps/new`);
  await page.getByLabel('Display name').fill('Both');
  await choose(page, page.getByLabel('Component of the library'), /hello/);
  await page.getByRole('radio', { name: /Choose environments/ }).check();
  for (const name of ['east', 'west']) await page.getByRole('checkbox', { name: new RegExp(name) }).check();
  await page.getByRole('button', { name: 'Create and start' }).click();
  await page.getByRole('heading', { level: 1, name: 'Both' }).waitFor();
  const status = (name, said) => page.locator('.head-about .status', { hasText: `${name}: ${said}` }).waitFor();
  for (const name of ['east', 'west']) await status(name, 'Running');
  assert.equal(await page.locator('.head-about .status', { hasText: 'north: ' }).count(), 0);
  for (const name of ['east', 'west']) {
    await page.getByRole('button', { name: 'Addresses' }).click();
    const link = page.getByRole('link', { name: `Visit in ${name}` });
    assert.ok((await link.getAttribute('href')).endsWith(`?lodge-environment=${name}`));
    const opened = context.waitForEvent('page');
    await link.click();
    const visited = await opened;
    await visited.getByText('Hello').first().waitFor();
    await visited.close();
    await page.keyboard.press('Escape');
  }

  // Stopped and started in unison.
  await page.getByRole('button', { name: /^(stop )?Stop$/ }).first().click();
  for (const name of ['east', 'west']) await status(name, 'Stopped');
  await page.getByRole('button', { name: /Start$/ }).first().click();
  for (const name of ['east', 'west']) await status(name, 'Running');

  // One is emptied, the other is lost; what is online cannot be removed.
  await page.goto(`${CONSOLE}/environments`);
  await menu('west', /Drain/);
  await page.getByRole('dialog').getByRole('button', { name: 'Drain' }).click();
  await row('west').getByText('Draining').waitFor();
  await page.getByRole('button', { name: 'Actions for west' }).click();
  await page.getByRole('menuitem', { name: /Remove/ }).and(page.locator('[aria-disabled=true]')).waitFor();
  await page.keyboard.press('Escape');
  // Its administrator had named it: it stops there, until it is placed elsewhere.
  await page.goto(`${CONSOLE}/apps/both`);
  await page.locator('.head-about .status', { hasText: 'west: Stopped' }).waitFor();
  await api(bearer)('PATCH', '/api/apps/both', { environments: ['east'] });
  await page.goto(`${CONSOLE}/environments`);
  await row('west').getByText('0 apps').waitFor();
  await ask('kill west');
  await row('west').getByText('Lost').waitFor({ timeout: 60_000 });
  await menu('west', /Remove/);
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await row('west').waitFor({ state: 'detached' });
  for (const name of ['east', 'north']) assert.equal(await row(name).count(), 1);

  // Deleted, it is gone where it ran, too.
  await page.goto(`${CONSOLE}/apps/both/danger`);
  await page.getByRole('button', { name: /Delete/ }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox').fill('both');
  await dialog.getByRole('button', { name: /^(delete )?Delete/ }).click();
  await page.waitForURL(/\/apps$/);
  await page.goto(`${CONSOLE}/environments`);
  await row('east').getByText('0 apps').waitFor();
});
