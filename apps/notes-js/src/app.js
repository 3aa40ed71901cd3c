// Notes: a person takes a token for a name, and keeps notes under it. The requests are here; the database is in
// notes.js, the tokens are in people.js.

import { add, listFor, listMigrations } from "./notes.js";
import { nameIn, tokenFor } from "./people.js";
import { PAGE } from "./page.js";
import { Refusal } from "./refusal.js";

// The host asks for these before the app serves.
export const migrations = { listMigrations };

addEventListener("fetch", event => event.respondWith(answer(event.request)));

async function answer(request) {
  try {
    return await route(request);
  } catch (error) {
    if (error instanceof Refusal) {
      return json({ error: error.message }, error.status, error.headers);
    }
    // Why it failed is the log's: whoever asked learns only that it did.
    console.error(`${request.method} ${new URL(request.url).pathname} failed: ${causeOf(error)}`);
    return json({ error: "internal error" }, 500);
  }
}

async function route(request) {
  const { pathname } = new URL(request.url);
  switch (`${request.method} ${pathname}`) {
    case "GET /":
      return new Response(PAGE, { headers: { "content-type": "text/html; charset=utf-8" } });
    case "POST /api/login":
      return json({ token: tokenFor(await field(request, "name", 100)) });
    case "GET /api/notes":
      return json({ notes: listFor(nameIn(request)) });
    case "POST /api/notes": {
      // Who it is counts first: a stranger's body is not read.
      const name = nameIn(request);
      add(name, await field(request, "text", 10_000));
      return json({ added: true }, 201);
    }
  }
  const allowed = { "/": "GET", "/api/login": "POST", "/api/notes": "GET, POST" }[pathname];
  throw allowed ? new Refusal(405, "not with this method", { allow: allowed }) : new Refusal(404, "not found");
}

// A text of the request's JSON object.
async function field(request, name, most) {
  let body;
  try {
    body = JSON.parse(await request.text());
  } catch (error) {
    throw new Refusal(400, "the body is not JSON");
  }
  const value = body?.[name];
  const text = typeof value === "string" ? value.trim() : "";
  if (text === "") {
    throw new Refusal(400, `"${name}" is missing`);
  }
  if ([...text].length > most) {
    throw new Refusal(400, `"${name}" has more than ${most} characters`);
  }
  return text;
}

function json(value, status = 200, headers = {}) {
  return new Response(JSON.stringify(value), { status, headers: { "content-type": "application/json", ...headers } });
}

// An error of the host's has a payload, a case and what it holds; any other has only its text.
function causeOf(error) {
  return error?.payload ? JSON.stringify(error.payload) : String(error?.stack ?? error);
}
