"""Who is who: the host signs and checks tokens with the app's key, which is never seen here."""

import json

from componentize_py_types import Err
from web import Refusal
from wit_world.imports import jwt
from wit_world.imports.types import IncomingRequest


def token_for(name: str) -> str:
    """No password is asked for: this shows tokens, not how to know people."""
    options = jwt.SignOptions(expires_in=None, not_before_in=None, issuer=None, audience=None, subject=name)
    return jwt.sign("{}", options)


def name_in(request: IncomingRequest) -> str:
    """The name in the request's token."""
    with request.headers() as headers:
        values = headers.get("authorization")
    words = values[0].decode("latin-1").split() if values else []
    if len(words) != 2 or words[0].lower() != "bearer":
        raise stranger("a token is needed: authorization: Bearer …")
    name = json.loads(claims_of(words[1])).get("sub")
    if not isinstance(name, str) or not name:
        raise stranger("the token names nobody")
    return name


def claims_of(token: str) -> str:
    try:
        return jwt.verify(token, jwt.Expectations(issuer=None, audience=None, leeway=0))
    except Err as error:
        # The host's own trouble says nothing about the token.
        if isinstance(error.value, jwt.Error_Unavailable):
            raise
        raise stranger("the token is not valid") from None


def stranger(message: str) -> Refusal:
    return Refusal(401, message, {"www-authenticate": "Bearer"})
