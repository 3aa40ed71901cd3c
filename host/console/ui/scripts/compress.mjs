// Each text file of the build once more in Brotli and gzip, so that the host never compresses while it serves.
// Says what the first page weighs.
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const dist = new URL('../dist/', import.meta.url).pathname;
const manifest = readFileSync(join(dist, 'index.html'), 'utf8');
const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };
const compressed = (name) => /\.(js|css|svg|json|txt)$/.test(name);

let first = 0;
for (const name of readdirSync(join(dist, 'assets'))) {
  const path = join(dist, 'assets', name);
  if (!compressed(name)) continue;
  const bytes = readFileSync(path);
  const br = brotliCompressSync(bytes, brotli);
  writeFileSync(`${path}.br`, br);
  writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
  if (manifest.includes(name)) first += br.length;
}
console.log(`scripts and styles that index.html names: ${(first / 1024).toFixed(1)} KiB in Brotli`);
