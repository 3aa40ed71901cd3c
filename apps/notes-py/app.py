"""Notes: a person takes a token for a name, and keeps notes under it.

The requests are here; HTTP is in web.py, the database in notes.py, the tokens in people.py.
"""

import sys
import traceback

import notes
import people
import web
from page import PAGE
from web import Refusal
from wit_world import exports
from wit_world.exports.migrations import Migration
from wit_world.imports.types import IncomingRequest, ResponseOutparam

ALLOWED = {"/": "GET", "/api/login": "POST", "/api/notes": "GET, POST"}


class Migrations(exports.Migrations):
    """The host asks for these before the app serves."""

    def list_migrations(self, engine: str) -> list[Migration]:
        return [Migration(id, sql) for id, sql in notes.migrations(engine)]


class IncomingHandler(exports.IncomingHandler):
    def handle(self, request: IncomingRequest, response_out: ResponseOutparam) -> None:
        method, path = web.target(request)
        try:
            answer = route(request, method, path)
        except Refusal as refusal:
            answer = web.json_answer({"error": refusal.message}, refusal.status, refusal.headers)
        except Exception as error:
            # Why it failed is the log's: whoever asked learns only that it did.
            cause = "".join(traceback.format_exception(error)).rstrip()
            print(f"{method} {path} failed: {cause}", file=sys.stderr, flush=True)
            answer = web.json_answer({"error": "internal error"}, 500)
        web.send(response_out, answer)


def route(request: IncomingRequest, method: str, path: str) -> web.Answer:
    match method, path:
        case "GET", "/":
            return web.Answer(200, {"content-type": "text/html; charset=utf-8"}, PAGE.encode())
        case "POST", "/api/login":
            return web.json_answer({"token": people.token_for(web.field(request, "name", 100))})
        case "GET", "/api/notes":
            return web.json_answer({"notes": notes.list_for(people.name_in(request))})
        case "POST", "/api/notes":
            # Who it is counts first: a stranger's body is not read.
            name = people.name_in(request)
            notes.add(name, web.field(request, "text", 10_000))
            return web.json_answer({"added": True}, 201)
    if path in ALLOWED:
        raise Refusal(405, "not with this method", {"allow": ALLOWED[path]})
    raise Refusal(404, "not found")
