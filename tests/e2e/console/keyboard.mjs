// By keyboard alone: in, about, an app stopped and started, a form filled, and out.
import assert from 'node:assert/strict';
import { CONSOLE, EMAIL, PASSWORD, api, play, token, upload } from './lib.mjs';

await play(async (page) => {
  const bearer = await token();
  const client = api(bearer);
  const digest = await upload(bearer, 'hello');
  await client('POST', '/api/apps', { id: 'shop', display_name: 'Shop', component: { digest } });
  await page.goto(CONSOLE);
  await page.getByRole('heading', { name: 'Sign in to Lodge' }).waitFor();
  // The first field has the focus.
  await page.keyboard.type(EMAIL);
  await page.keyboard.press('Tab');
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByText('Shop', { exact: true }).first().waitFor();

  // The first stop of the Tab key skips the menu.
  await page.reload();
  await page.getByText('Shop', { exact: true }).first().waitFor();
  await page.keyboard.press('Tab');
  assert.equal(await focused(page), 'Skip to the content');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'content');

  // Pages by two keys, anything by the palette.
  await page.keyboard.press('g');
  await page.keyboard.press('c');
  await page.getByRole('heading', { level: 1, name: 'Components' }).waitFor();
  await find(page, 'shop');
  await page.getByRole('option', { name: /Shop/, selected: true }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Shop' }).waitFor();

  // Stopped and started, and the focus is never lost.
  await reach(page, /^(stop )?Stop$/);
  await page.keyboard.press('Enter');
  await page.locator('[data-status=stopped]').first().waitFor();
  assert.notEqual(await page.evaluate(() => document.activeElement?.tagName), 'BODY');
  await reach(page, /Start$/);
  await page.keyboard.press('Enter');
  await page.locator('[data-status=running]').first().waitFor();

  // A setting, changed and saved.
  await page.goto(`${CONSOLE}/apps/shop/settings`);
  await page.getByLabel('Display name').waitFor();
  await reach(page, /^Display name$/);
  await page.keyboard.press('Control+a');
  await page.keyboard.type('Corner shop');
  await reach(page, /^Save$/);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Corner shop' }).waitFor();
  assert.equal((await client('GET', '/api/apps/shop')).display_name, 'Corner shop');

  // Out: a menu by arrows, and a dialog that gives the focus back.
  await page.keyboard.press('Control+k');
  await page.getByRole('dialog').getByRole('combobox').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await find(page, 'sign out');
  await page.getByRole('option', { name: /Sign out/, selected: true }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Sign in to Lodge' }).waitFor();
});

/** Opens the palette and types into it, once it has the focus. */
async function find(page, text) {
  await page.keyboard.press('Control+k');
  const field = page.getByRole('dialog').getByRole('combobox');
  await field.waitFor();
  await page.waitForFunction(() => document.activeElement?.getAttribute('role') === 'combobox');
  await page.keyboard.type(text);
  assert.equal(await field.inputValue(), text);
}

/** Goes on by the Tab key until something of this name has the focus. */
async function reach(page, name) {
  for (let step = 0; step < 120; step += 1) {
    if (name.test(await focused(page))) return;
    await page.keyboard.press('Tab');
  }
  assert.fail(`the Tab key never reaches ${name}`);
}

/** The name of what has the focus. */
function focused(page) {
  return page.evaluate(() => {
    const element = document.activeElement;
    const labels = element instanceof HTMLInputElement ? [...(element.labels ?? [])].map((label) => label.textContent) : [];
    return (element?.getAttribute('aria-label') ?? labels[0] ?? element?.textContent ?? '').trim();
  });
}
