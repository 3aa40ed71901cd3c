// The first sign-in: the generated password lets one in to choose another, and nowhere else.
import assert from 'node:assert/strict';
import { CONSOLE, EMAIL, PASSWORD, accessible, fits, play } from './lib.mjs';

await play(async (page) => {
  await page.goto(`${CONSOLE}/apps`);
  await page.getByLabel('Email').fill(EMAIL);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Choose your password' }).waitFor();
  await accessible(page, 'first password');
  await page.setViewportSize({ width: 390, height: 800 });
  await fits(page, 'first password');
  await choose(page, 'not this one', 'correct horse', 'correct horse');
  await page.getByText('is not your password').waitFor();
  await choose(page, PASSWORD, 'short', 'short');
  await page.getByText('At least 8 characters.').first().waitFor();
  await choose(page, PASSWORD, 'correct horse', 'battery staple');
  await page.getByText('The two are not the same.').waitFor();
  await choose(page, PASSWORD, 'correct horse', 'correct horse');
  await page.getByText('No apps yet').waitFor();
  // From now on it is the chosen one.
  await page.reload();
  await page.getByText('No apps yet').waitFor();
  assert.equal(await page.getByRole('heading', { name: 'Choose your password' }).count(), 0);
});

async function choose(page, current, next, repeat) {
  await page.getByLabel('Current password').fill(current);
  await page.getByLabel('New password', { exact: true }).fill(next);
  await page.getByLabel('New password again').fill(repeat);
  await page.getByRole('button', { name: 'Save' }).click();
}
