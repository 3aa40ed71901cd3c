// Who is who: the host signs and checks tokens with the app's key, which is never seen here.

import { sign, verify } from "lodge:host/jwt@0.1.0";
import { Refusal } from "./refusal.js";

// No password is asked for: this shows tokens, not how to know people.
export function tokenFor(name) {
  return sign("{}", { subject: name });
}

// The name in the request's token.
export function nameIn(request) {
  const [scheme, token] = (request.headers.get("authorization") ?? "").trim().split(/\s+/, 2);
  if (scheme.toLowerCase() !== "bearer" || !token) {
    throw stranger("a token is needed: authorization: Bearer …");
  }
  const name = JSON.parse(claimsOf(token)).sub;
  if (typeof name !== "string" || name === "") {
    throw stranger("the token names nobody");
  }
  return name;
}

function claimsOf(token) {
  try {
    return verify(token, { leeway: 0 });
  } catch (error) {
    // The host's own trouble says nothing about the token.
    if (!error?.payload || error.payload.tag === "unavailable") {
      throw error;
    }
    throw stranger("the token is not valid");
  }
}

function stranger(message) {
  return new Refusal(401, message, { "www-authenticate": "Bearer" });
}
