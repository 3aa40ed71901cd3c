// Signing in, wrong passwords, and a session that ends while a form is filled in.
import assert from 'node:assert/strict';
import { CONSOLE, EMAIL, PASSWORD, accessible, ask, play } from './lib.mjs';

await play(async (page) => {
  await page.goto(`${CONSOLE}/tokens`);
  await page.getByRole('heading', { name: 'Sign in to Lodge' }).waitFor();
  await accessible(page, 'sign-in');
  await page.getByLabel('Email').fill(EMAIL);
  await page.getByLabel('Password', { exact: true }).fill('not this one');
  await page.keyboard.press('Enter');
  await page.getByText('Email or password is wrong').waitFor();
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.keyboard.press('Enter');
  // At the page that was asked for.
  await page.getByRole('heading', { level: 1, name: 'API tokens' }).waitFor();
  assert.equal(new URL(page.url()).pathname, '/tokens');

  // A token is being made when the session ends on the host.
  await page.getByRole('button', { name: 'Create token' }).first().click();
  const name = page.getByRole('dialog').getByLabel('Name');
  await name.fill('ci of the shop');
  const changed = await ask('password another horse battery staple');
  assert.equal(changed, 'done');
  await page.getByRole('dialog').getByRole('button', { name: 'Create token' }).click();
  await page.getByText('Your session has ended').waitFor();
  await accessible(page, 'session ended');
  await page.getByRole('dialog', { name: 'Your session has ended' }).getByLabel('Password').fill('another horse battery staple');
  await page.keyboard.press('Enter');
  // What was asked for went on by itself.
  await page.getByText('lodge_', { exact: false }).first().waitFor();
  await page.getByRole('button', { name: 'I have copied it' }).click();
  await page.getByText('ci of the shop').first().waitFor();

  // Signed out, nothing of it is left in the page.
  await page.getByRole('button', { name: 'Account' }).click();
  await page.getByText('Sign out').click();
  await page.getByRole('heading', { name: 'Sign in to Lodge' }).waitFor();
  assert.equal(await page.getByText('ci of the shop').count(), 0);
});
