// Hello in JavaScript, as a fetch handler: the engine makes it a WASI 0.2 component.

addEventListener("fetch", event => event.respondWith(answer(event.request)));

async function answer(request) {
  const url = new URL(request.url);
  if (url.pathname === "/echo") {
    return new Response(await request.text(), { headers: { "content-type": "text/plain" } });
  }
  return new Response("Hello from JavaScript!\n", { headers: { "content-type": "text/plain" } });
}
