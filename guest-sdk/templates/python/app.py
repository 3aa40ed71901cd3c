"""{{name}}: greets, counts its greetings in a database, and knows people by tokens."""

import json
import sys
import traceback
from urllib.parse import parse_qs, urlsplit

from componentize_py_types import Err, Ok
from wit_world import exports
from wit_world.exports.migrations import Migration
from wit_world.imports import jwt
from wit_world.imports.database import DataSource
from wit_world.imports.sql import Engine, Value_Text
from wit_world.imports.types import (
    Fields,
    IncomingRequest,
    Method_Get,
    Method_Post,
    OutgoingBody,
    OutgoingResponse,
    ResponseOutparam,
)

# Links without a leading slash work under /apps/{{name}}/ as well as on the app's own host name.
HOME = """<!doctype html>
<title>{{name}}</title>
<h1>{{name}}</h1>
<p><a href="hello?name=World">Say hello</a>
"""


class Migrations(exports.Migrations):
    """Each runs once on the app's database, before the app serves. A released one never changes: add another."""

    def list_migrations(self, engine: str) -> list[Migration]:
        return [Migration("0001_greetings", "CREATE TABLE greetings (name VARCHAR(100) NOT NULL)")]


class IncomingHandler(exports.IncomingHandler):
    def handle(self, request: IncomingRequest, response_out: ResponseOutparam) -> None:
        kind = "text/plain"
        try:
            status, kind, text = route(request)
        except Exception:
            # Why is for the app's log, not for visitors.
            traceback.print_exc(file=sys.stderr)
            status, text = 500, "Something went wrong\n"
        send(response_out, status, kind, text.encode())


def route(request: IncomingRequest) -> tuple[int, str, str]:
    """The status, the type and the text of the answer."""
    target = urlsplit(request.path_with_query() or "/")
    name = parse_qs(target.query).get("name", ["World"])[0][:100]
    match request.method(), target.path:
        case Method_Get(), "/":
            return 200, "text/html", HOME
        case Method_Get(), "/hello":
            return 200, "text/plain", f"Hello, {name}! This is greeting {count(name)}.\n"
        case Method_Post(), "/token":
            options = jwt.SignOptions(expires_in=None, not_before_in=None, issuer=None, audience=None, subject=name)
            return 200, "text/plain", jwt.sign("{}", options) + "\n"
        case Method_Get(), "/me":
            return me(request)
    return 404, "text/plain", "Not found\n"


def count(name: str) -> int:
    """Adds a greeting, and tells how many there are."""
    with DataSource.open("default") as source:
        # PostgreSQL numbers its parameters, the other engines take them in order.
        parameter = "$1" if source.engine() == Engine.POSTGRES else "?"
        source.execute(f"INSERT INTO greetings (name) VALUES ({parameter})", [Value_Text(name)])
        return source.query("SELECT COUNT(*) FROM greetings", []).rows[0][0].value


def me(request: IncomingRequest) -> tuple[int, str, str]:
    """Greets whoever the token was made for: `authorization: Bearer …`."""
    with request.headers() as headers:
        values = headers.get("authorization")
    token = values[0].decode("latin-1").split()[-1:] if values else []
    try:
        claims = jwt.verify("".join(token), jwt.Expectations(issuer=None, audience=None, leeway=0))
    except Err as error:
        if isinstance(error.value, jwt.Error_Unavailable):
            raise
        return 401, "text/plain", "Your token is missing, wrong or too old\n"
    return 200, "text/plain", f"Hello again, {json.loads(claims)['sub']}!\n"


def send(response_out: ResponseOutparam, status: int, kind: str, body: bytes) -> None:
    response = OutgoingResponse(Fields.from_list([("content-type", f"{kind}; charset=utf-8".encode())]))
    response.set_status_code(status)
    outgoing = response.body()
    ResponseOutparam.set(response_out, Ok(response))
    with outgoing.write() as stream:
        # A stream takes 4,096 bytes at once.
        for start in range(0, len(body), 4096):
            stream.blocking_write_and_flush(body[start : start + 4096])
    OutgoingBody.finish(outgoing, None)
