import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// Built files carry a hash in their name, so that browsers may keep them for ever; index.html does not.
// `npm run dev` serves the sources and passes /api on to a host at LODGE_URL.
export default defineConfig({
  plugins: [react()],
  build: {
    outDir: 'dist',
    emptyOutDir: false,
    assetsInlineLimit: 0,
    // The languages and pages are chunks of their own; the rest is what every page needs.
    chunkSizeWarningLimit: 1500,
    // What many pages share is one file, not fifty small ones.
    rolldownOptions: { output: { advancedChunks: { groups: [{ name: 'shared', test: /node_modules/, minShareCount: 6 }] } } },
  },
  server: {
    proxy: { '^/(api/|metrics$)': { target: process.env.LODGE_URL ?? 'http://127.0.0.1:13001', changeOrigin: false } },
  },
  test: { environment: 'jsdom', include: ['src/**/*.test.{ts,tsx}'] },
});
