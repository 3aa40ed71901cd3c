// No control without an effect: on every page, each button, link, switch and tab that is shown and enabled is used
// once on a fresh page, and must change the page, its address, or ask the host for something.
import assert from 'node:assert/strict';
import { APPS, CONSOLE, api, play, signIn, token, upload } from './lib.mjs';

const CONTROLS = 'button:visible:not([disabled]):not([aria-disabled=true]), a[href]:visible, [role=switch]:visible:not([disabled]), [role=tab]:visible, [role=combobox]:visible';
/** Ends the session, or leads away from the console. */
const NOT_HERE = /^(Sign out)$/;

await play(async (page, context) => {
  const bearer = await token();
  const ask = api(bearer);
  const digest = await upload(bearer, 'hello');
  await ask('POST', '/api/apps', { id: 'hello', component: { digest }, tags: ['sample'] });
  await fetch(`${APPS}/apps/hello/`);
  await ask('POST', '/api/tokens', { name: 'one' });
  await signIn(page);
  const tabs = ['', '/logs', '/component', '/limits', '/config', '/access', '/database', '/activity', '/settings', '/danger'];
  const paths = ['/apps', '/apps/new', ...tabs.map((tab) => `/apps/hello${tab}`), '/components', `/components/${digest}`,
    '/environments', '/activity', '/tokens', '/settings', '/about'];
  const dead = [];
  const followed = new Set();
  for (const path of paths) {
    await open(page, path);
    // Over a page lies a drawer: then it is the drawer's turn. One page is taken with its menu and head.
    const drawer = (await page.getByRole('dialog').count()) > 0;
    const room = drawer ? page.getByRole('dialog') : page.locator(path === '/about' ? 'body' : '#content');
    const count = await room.locator(CONTROLS).count();
    let fresh = true;
    for (let index = 0; index < count; index += 1) {
      if (!fresh) await open(page, path);
      const control = room.locator(CONTROLS).nth(index);
      fresh = true;
      if ((await control.count()) === 0) continue;
      const name = await label(control);
      // A link is one, on whatever page it stands.
      const href = await control.getAttribute('href');
      if (href && followed.has(href)) continue;
      if (href) followed.add(href);
      fresh = false;
      if (NOT_HERE.test(name)) continue;
      const effect = await hasEffect(page, context, control).catch((error) => `cannot be used: ${error.message.split('\n')[0]}`);
      if (effect !== true) dead.push(`${path}: ${name} ${effect || ''}`);
    }
  }
  assert.deepEqual(dead, []);
});

async function open(page, path) {
  await page.goto(CONSOLE + path);
  await page.locator('h1').first().waitFor();
  await page.waitForFunction(() => document.querySelectorAll('.ant-skeleton, .ant-spin-spinning').length === 0);
  await page.waitForTimeout(150);
}

function label(control) {
  return control.evaluate((element) => element.getAttribute('aria-label') ?? element.textContent?.trim().slice(0, 60) ?? element.tagName);
}

async function hasEffect(page, context, control) {
  // What leads to where one is has done its work.
  const here = await control.evaluate((element) => element instanceof HTMLAnchorElement && element.href === location.href);
  if (here) return true;
  const chosen = await control.evaluate((element) => element.getAttribute('aria-selected') === 'true' || element.getAttribute('aria-pressed') === 'true');
  if (chosen) return true;
  let asked = false;
  const note = () => (asked = true);
  const state = () => page.evaluate(() => `${location.href} ${document.activeElement?.outerHTML.length} ${document.body.innerHTML}`);
  const before = await state();
  const opened = context.waitForEvent('page', { timeout: 1_000 }).catch(() => null);
  const saved = page.waitForEvent('download', { timeout: 1_000 }).catch(() => null);
  const chooser = page.waitForEvent('filechooser', { timeout: 1_000 }).catch(() => null);
  page.on('request', note);
  await use(page, control);
  await page.waitForTimeout(200);
  page.off('request', note);
  if (asked || (await state()) !== before) return true;
  const [other, file, files] = await Promise.all([opened, saved, chooser]);
  await other?.close();
  return other !== null || file !== null || files !== null;
}

async function use(page, control) {
  // The link that skips the menu shows itself to the keyboard alone.
  const box = await control.boundingBox();
  const width = await page.evaluate(() => innerWidth);
  if (box && (box.x + box.width <= 0 || box.x >= width)) {
    await control.focus();
    await page.keyboard.press('Enter');
    return;
  }
  // A list's input lies under what is chosen; whoever clicks there clicks the list.
  await control.click({ timeout: 5_000, force: (await control.getAttribute('role')) === 'combobox' });
}
