"""Makes the seeds that are not text: `python3 fuzz/seeds.py`, from the repository's root."""

from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"


def name(text):
    return bytes([len(text)]) + text.encode()


def section(number, content):
    return bytes([number, len(content)]) + content


def upload():
    core, head = b"\0asm\x01\0\0\0", b"\0asm\x0d\0\x01\0"
    # One type: of instances with nothing in them. Imports and exports here are such instances.
    types = section(7, bytes([1, 0x42, 0]))
    imports = lambda what: section(10, bytes([1, 0]) + name(what) + bytes([5, 0]))
    exports = lambda what: section(11, bytes([1, 0]) + name(what) + bytes([5, 0, 0]))
    incoming = exports("wasi:http/incoming-handler@0.2.0")
    called = section(0, name("component-name") + bytes([0, 5]) + name("shop"))
    return {
        "core-module": core,
        "empty-component": head,
        "with-module": head + section(1, core),
        "nested-component": head + section(4, head),
        "named": head + called,
        "truncated": head + b"\x04\x7f",
        "incoming-handler": head + types + imports("wasi:http/types@0.2.0") + incoming,
        "handler": head + types + imports("wasi:http/client@0.3.0") + exports("wasi:http/handler@0.3.0"),
        "unknown-import": head + types + imports("wasi:nn/graph@0.2.0") + incoming,
    }


def routing():
    def frame(kind, flags, stream, payload):
        return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload

    # GET, http, the path /x, and a host name (RFC 7541, without Huffman codes).
    fields = bytes([0x82, 0x86, 0x04, 2]) + b"/x" + bytes([0x01, 14]) + b"shop.localhost"
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    return {"http2": b"0" + preface + frame(4, 0, 0, b"") + frame(1, 5, 1, fields)}


def bus_messages():
    report = (
        b'{"app":"shop","observed":{"environment":"here","status":"running","since":1,"version":"1",'
        b'"message":null},"revision":{"generation":3,"term":2,"step":1},"gone":false}'
    )
    return {
        "changed": b"CP1+" + report + b"\n" + bytes([1, 0, 5, 1, 2, 0, 60, 7]),
        "changed-specification": b"S" + bytes([1, 0, 5, 1, 3, 0, 60, 0]),
        "forged": b"F\x01\x01",
    }


for make in (upload, routing, bus_messages):
    for seed, content in make().items():
        (CORPUS / make.__name__ / seed).write_bytes(content)
