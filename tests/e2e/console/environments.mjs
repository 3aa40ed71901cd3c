// Several environments: two workers seen, cordoned, chosen for an app, drained, lost and removed. The test around the
// play has a supervisor, and does what is asked for: `@worker NAME` starts a worker of that name, `@kill NAME` ends it
// at once. Each is answered when done.
import assert from 'node:assert/strict';
import { CONSOLE, accessible, api, ask, fits, play, signIn, token, upload } from './lib.mjs';

await play(async (page) => {
  const bearer = await token();
  const digest = await upload(bearer, 'hello');
  await signIn(page, '/environments');

  // Nothing yet: how to start one is told.
  await page.getByText('No worker has joined yet').waitFor();
  await page.getByRole('button', { name: 'Start a worker' }).first().click();
  await page.getByText('APP_MODE=worker').waitFor();
  await page.keyboard.press('Escape');

  // They appear by themselves.
  await ask('worker east');
  await ask('worker west');
  const row = (name) => page.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) });
  for (const name of ['east', 'west']) await row(name).getByText('Online').waitFor();
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

  // One app in both: each status stands by itself, and each can be visited.
  await page.goto(`${CONSOLE}/environments`);
  await menu('west', /Uncordon/);
  await row('west').getByText('Cordoned').waitFor({ state: 'detached' });
  await api(bearer)('POST', '/api/apps', { id: 'both', display_name: 'Both', component: { digest }, environments: ['east', 'west'] });
  await page.goto(`${CONSOLE}/apps/both`);
  for (const name of ['east', 'west']) await page.locator('.head-about .status', { hasText: `${name}: ` }).waitFor();
  await page.getByRole('button', { name: 'Addresses' }).click();
  for (const name of ['east', 'west']) {
    const href = await page.getByRole('link', { name: `Visit in ${name}` }).getAttribute('href');
    assert.ok(href.endsWith(`?lodge-environment=${name}`), href);
  }

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
  assert.equal(await row('east').count(), 1);
});
