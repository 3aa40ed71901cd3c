// The policy of the page allows styles of our scripts' only with its nonce. Ant Design is told it; some of the parts
// that it is made of (the lock on scrolling under a dialog, the measuring of scroll bars) write styles without. Only
// scripts of this origin run at all, so what they write may carry it.
export const nonce = document.querySelector('meta[name=csp-nonce]')?.getAttribute('content') ?? '';

const create = document.createElement.bind(document);

document.createElement = ((name: string, options?: ElementCreationOptions) => {
  const element = create(name, options);
  if (element instanceof HTMLStyleElement) element.nonce = nonce;
  return element;
}) as typeof document.createElement;
