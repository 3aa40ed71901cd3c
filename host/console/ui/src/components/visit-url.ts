/** An app's address that asks for one of its environments; the host takes the query away again. */
export function inEnvironment(url: string, environment: string): string {
  const asked = new URL(url);
  asked.searchParams.set('lodge-environment', environment);
  return asked.href;
}
