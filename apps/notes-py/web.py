"""HTTP over the bindings of wasi:http."""

import json
from dataclasses import dataclass, field as default
from typing import Any

from componentize_py_types import Err, Ok
from wit_world.imports.streams import StreamError_Closed
from wit_world.imports.types import (
    Fields,
    IncomingRequest,
    Method_Other,
    OutgoingBody,
    OutgoingResponse,
    ResponseOutparam,
)

# As much as a stream takes at once.
PIECE = 4096


class Refusal(Exception):
    """An answer that is no fault of the app's: raised where it is found out, answered in app.py."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None):
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}


@dataclass
class Answer:
    status: int
    headers: dict[str, str] = default(default_factory=dict)
    body: bytes = b""


def json_answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    headers = {"content-type": "application/json"} | (headers or {})
    return Answer(status, headers, json.dumps(value).encode())


def target(request: IncomingRequest) -> tuple[str, str]:
    """The method, and the path without the query."""
    method = request.method()
    # The bindings have a class for each method: Method_Get and so on.
    name = method.value if isinstance(method, Method_Other) else type(method).__name__.removeprefix("Method_").upper()
    return name, (request.path_with_query() or "/").partition("?")[0]


def field(request: IncomingRequest, name: str, most: int) -> str:
    """A text of the request's JSON object."""
    try:
        body = json.loads(read(request))
    except (ValueError, RecursionError):
        raise Refusal(400, "the body is not JSON") from None
    value = body.get(name) if isinstance(body, dict) else None
    text = value.strip() if isinstance(value, str) else ""
    # JSON can name half a character, which no text outside Python may hold.
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if not text:
        raise Refusal(400, f'"{name}" is missing')
    if len(text) > most:
        raise Refusal(400, f'"{name}" has more than {most} characters')
    return text


def read(request: IncomingRequest) -> bytes:
    """The whole body; the host bounds its size."""
    whole = bytearray()
    with request.consume() as body, body.stream() as stream:
        while True:
            try:
                whole += stream.blocking_read(64 * 1024)
            except Err as error:
                if isinstance(error.value, StreamError_Closed):
                    return bytes(whole)
                raise


def send(response_out: ResponseOutparam, answer: Answer) -> None:
    headers = answer.headers | {"content-length": str(len(answer.body))}
    response = OutgoingResponse(Fields.from_list([(name, value.encode()) for name, value in headers.items()]))
    response.set_status_code(answer.status)
    body = response.body()
    ResponseOutparam.set(response_out, Ok(response))
    with body.write() as stream:
        for start in range(0, len(answer.body), PIECE):
            stream.blocking_write_and_flush(answer.body[start : start + PIECE])
    OutgoingBody.finish(body, None)
