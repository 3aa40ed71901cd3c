// Two browsers see each other's changes as they happen; a host that restarts under an open page is found again.
import assert from 'node:assert/strict';
import { CONSOLE, api, ask, play, signIn, token, upload } from './lib.mjs';

await play(async (page, context) => {
  const bearer = await token();
  const client = api(bearer);
  const digest = await upload(bearer, 'hello');
  await client('POST', '/api/apps', { id: 'shop', display_name: 'Shop', component: { digest } });
  await signIn(page);
  const other = await context.newPage();
  await other.setViewportSize({ width: 1440, height: 900 });
  await other.goto(`${CONSOLE}/apps`);
  const [here, there] = [page, other].map((one) => one.getByRole('row', { name: /Shop/ }));
  await here.waitFor();
  await there.waitFor();

  // What one does, the other shows, without being loaded again.
  await here.getByRole('button', { name: 'Stop Shop' }).click();
  await there.locator('[data-status=stopped]').waitFor();
  await there.getByRole('button', { name: 'Start Shop' }).click();
  await here.locator('[data-status=running]').waitFor();
  await client('POST', '/api/apps', { id: 'second', display_name: 'Second', component: { digest } });
  await page.getByRole('row', { name: /Second/ }).waitFor();
  await client('PATCH', '/api/apps/second', { display_name: 'Renamed' });
  await other.getByRole('row', { name: /Renamed/ }).waitFor();
  await client('DELETE', '/api/apps/second');
  await page.getByRole('row', { name: /Renamed/ }).waitFor({ state: 'detached' });

  // The host is gone, and comes back: the page says so, keeps what it shows, and goes on by itself.
  await page.getByText('Live', { exact: true }).waitFor();
  assert.equal(await ask('kill'), 'done');
  await page.getByText('Reconnecting').waitFor();
  await here.waitFor();
  assert.equal(await ask('start'), 'done');
  await page.getByText('Live', { exact: true }).waitFor({ timeout: 30_000 });
  // Started before, it waits for its first visit again.
  await here.locator('[data-status=waiting]').waitFor();
  await there.locator('[data-status=waiting]').waitFor();
});
