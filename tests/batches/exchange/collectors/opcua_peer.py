"""A simulated OPC UA server in a process of its own; it writes what it is told on its input.

    python opcua_peer.py PORT [CERTIFICATE KEY URI]

Each line of input is `VALUE STATUS SECONDS`: the value (a number, or a text that is none), the name
of a status code, and the source's time in seconds after noon. It answers each line with `written`.
"""

import asyncio
import logging
import sys
from datetime import UTC, datetime, timedelta

from asyncua import Server, ua

NODE = "ns=2;s=Temperature"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _value(status: str, value: float | str, seconds: float) -> ua.DataValue:
    return ua.DataValue(
        ua.Variant(value),
        StatusCode=ua.StatusCode(getattr(ua.StatusCodes, status)),
        SourceTimestamp=NOON + timedelta(seconds=seconds),
    )


async def serve(port: int, security: list[str]) -> None:
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/")
    if security:
        certificate, key, uri = security
        await server.set_application_uri(uri)
        server.set_security_policy([ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt])
        await server.load_certificate(certificate)
        await server.load_private_key(key)
    await server.register_namespace("urn:plant")
    node = await server.nodes.objects.add_variable(ua.NodeId.from_string(NODE), "2:T", 0.0)
    waiting = _value("BadWaitingForInitialData", 0.0, 0)
    await server.iserver.write_attribute_value(node.nodeid, waiting)
    async with server:
        print("serving", flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            text, status, seconds = line.split()
            try:
                value: float | str = float(text)
            except ValueError:
                value = text
            data = _value(status, value, float(seconds))
            await server.iserver.write_attribute_value(node.nodeid, data)
            print("written", flush=True)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2:]))
