// {{name}}: greets, counts its greetings in a database, and knows people by tokens.

import { DataSource } from "lodge:host/database@0.1.0";
import { sign, verify } from "lodge:host/jwt@0.1.0";

// Each runs once on the app's database, before the app serves. A released one never changes: add another.
export const migrations = {
  listMigrations(engine) {
    return [{ id: "0001_greetings", sql: "CREATE TABLE greetings (name VARCHAR(100) NOT NULL)" }];
  },
};

addEventListener("fetch", event => event.respondWith(answer(event.request)));

async function answer(request) {
  try {
    return route(request);
  } catch (error) {
    // An error of the host's has a payload that says what it is. It is for the app's log, not for visitors.
    console.error(error?.payload ? JSON.stringify(error.payload) : String(error?.stack ?? error));
    return text("Something went wrong\n", 500);
  }
}

function route(request) {
  const url = new URL(request.url);
  const name = (url.searchParams.get("name") ?? "World").slice(0, 100);
  switch (`${request.method} ${url.pathname}`) {
    case "GET /":
      // Links without a leading slash work under /apps/{{name}}/ as well as on the app's own host name.
      return new Response(HOME, { headers: { "content-type": "text/html; charset=utf-8" } });
    case "GET /hello":
      return text(`Hello, ${name}! This is greeting ${count(name)}.\n`);
    case "POST /token":
      return text(sign("{}", { subject: name }) + "\n");
    case "GET /me":
      return me(request);
    default:
      return text("Not found\n", 404);
  }
}

// Adds a greeting, and tells how many there are.
function count(name) {
  const source = DataSource.open("default");
  // PostgreSQL numbers its parameters, the other engines take them in order.
  const parameter = source.engine() === "postgres" ? "$1" : "?";
  source.execute(`INSERT INTO greetings (name) VALUES (${parameter})`, [{ tag: "text", val: name }]);
  const { rows } = source.query("SELECT COUNT(*) FROM greetings", []);
  return rows[0][0].val;
}

// Greets whoever the token was made for: `authorization: Bearer …`.
function me(request) {
  const token = (request.headers.get("authorization") ?? "").replace(/^Bearer +/i, "");
  let claims;
  try {
    claims = JSON.parse(verify(token, { leeway: 0 }));
  } catch (error) {
    if (!error?.payload || error.payload.tag === "unavailable") throw error;
    return text("Your token is missing, wrong or too old\n", 401);
  }
  return text(`Hello again, ${claims.sub}!\n`);
}

function text(body, status = 200) {
  return new Response(body, { status, headers: { "content-type": "text/plain; charset=utf-8" } });
}

const HOME = `<!doctype html>
<title>{{name}}</title>
<h1>{{name}}</h1>
<p><a href="hello?name=World">Say hello</a>
`;
