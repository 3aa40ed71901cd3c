// A real Chromium, as Debian has it: nothing is downloaded.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Runs `work` with a browser whose profile is its own, and ends it whatever happens. */
export async function withBrowser(work) {
  const profile = mkdtempSync(join(tmpdir(), 'lodge-browser-'));
  const options = { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: FLAGS };
  const context = await chromium.launchPersistentContext(profile, options);
  context.setDefaultTimeout(20_000);
  try {
    await work(context);
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

/** A picture of the page, if LODGE_SCREENSHOTS names a folder. */
export async function picture(page, name) {
  const folder = process.env.LODGE_SCREENSHOTS;
  if (folder) await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}
