"""Sends gRPC calls from one process, or runs an echo server to compare a server with.

python grpc_load.py load PORT METHOD REQUEST_FILE CLIENTS SECONDS
python grpc_load.py echo PORT

`load` prints one JSON object: responses per second.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

import grpc
import uvloop

_WARM_UP_SECONDS = 0.5
ECHO = "/bench.Echo/Echo"


async def load(port: str, method: str, path: str, n_clients: str, seconds: str) -> None:
    request = Path(path).read_bytes()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_unary(method)
        begin = time.perf_counter() + _WARM_UP_SECONDS
        end = begin + float(seconds)

        async def ask() -> int:
            n_answers = 0
            while (now := time.perf_counter()) < end:
                await call(request)
                n_answers += now >= begin
            return n_answers

        answers = await asyncio.gather(*(ask() for _ in range(int(n_clients))))
    print(json.dumps({"rate": sum(answers) / float(seconds)}))


async def echo(port: str) -> None:
    async def answer(request: bytes, _: grpc.aio.ServicerContext) -> bytes:
        return request

    service, method = ECHO[1:].split("/")
    handlers = {method: grpc.unary_unary_rpc_method_handler(answer)}
    server = grpc.aio.server()
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service, handlers)])
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    uvloop.install()
    command, *arguments = sys.argv[1:]
    asyncio.run({"load": load, "echo": echo}[command](*arguments))
