# SPDX-License-Identifier: MIT
"""
Many clients at once, of which some leave at any moment: whoever stays gets the right answer, and nothing is left of all
of it. 2,000 requests every day; 100,000 in the long tier, with a look at the memory after the first 20,000.
"""
import asyncio
import hashlib
import random
import unittest

from harness import SLOWNESS, Server, chunked, eventually, fetch, memory_for, message

CLIENTS = 64
SEED = 20260101


class Wrong(Exception):
    """An answer that is not the one to this request."""


async def read_response(reader):
    """Status and body. Strict enough to see an answer that is cut, or another's."""
    head = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
    status = int(head[0].split()[1])
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in head[1:] if line)}
    if headers.get(b"transfer-encoding") == b"chunked":
        body = b""
        while size := int(await reader.readline(), 16):
            body += await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readexactly(2)
    else:
        body = await reader.readexactly(int(headers[b"content-length"]))
    return status, body, headers.get(b"connection") == b"close"


class Swarm:
    def __init__(self, server, seed):
        self.server = server
        self.random = random.Random(seed)
        self.left = 0
        self.answered = 0
        self.aborted = 0

    async def connect(self):
        return await asyncio.open_connection("127.0.0.1", self.server.port)

    def wish(self):
        """A request, and the status and body that belong to it."""
        kind = self.random.random()
        if kind < 0.75:
            return message("/cgi-bin/hello.sh"), 200, b"hello\n"
        if kind < 0.85:
            return message("/index.html"), 200, b"<p>index</p>\n"
        if kind < 0.90:
            body = self.random.randbytes(self.random.choice((1, 1000, 100_000)))
            return message("/cgi-bin/sum.sh", "POST", body=body), 200, hashlib.sha256(body).hexdigest().encode() + b"\n"
        if kind < 0.95:
            pieces = [self.random.randbytes(size) for size in (1, 3000, 17)]
            head = message("/cgi-bin/echo.sh", "POST", [("Transfer-Encoding", "chunked")])
            return head + chunked(*pieces), 200, b"".join(pieces)
        if kind < 0.98:
            return message("/missing"), 404, None
        return message("/cgi-bin/nothing.sh"), 502, None

    async def abort(self):
        """Asks, and leaves at some moment, in either way that there is."""
        what = self.random.choice(("hello", "hello", "flood", "hang", "body", "chunks", "head", "nothing"))
        reader, writer = await self.connect()
        try:
            if what == "body":
                writer.write(
                    message("/cgi-bin/echo.sh", "POST", [("Content-Length", "100000")])
                    + b"x" * self.random.randrange(90_000)
                )
            elif what == "chunks":
                head = message("/cgi-bin/sum.sh", "POST", [("Transfer-Encoding", "chunked")])
                writer.write(head + chunked(b"x" * self.random.randrange(1, 300_000))[: -self.random.randrange(1, 9)])
            elif what == "head":
                writer.write(b"GET /cgi-bin/hello.sh HT")
            elif what != "nothing":
                writer.write(message(f"/cgi-bin/{what}.sh"))
            await asyncio.sleep(self.random.choice((0, 0.001, 0.01, 0.05)))
            if self.random.random() < 0.3:
                await asyncio.wait_for(reader.read(100), 0.02)
        except (TimeoutError, ConnectionError):
            pass
        finally:
            if self.random.random() < 0.5:
                writer.transport.abort()
            writer.close()
        self.aborted += 1

    async def client(self):
        reader = writer = None
        while self.left > 0:
            self.left -= 1
            if self.random.random() < 0.1:
                await self.abort()
                continue
            if writer is None:
                reader, writer = await self.connect()
            request, status, body = self.wish()
            writer.write(request)
            got_status, got_body, closing = await asyncio.wait_for(read_response(reader), 60 * SLOWNESS)
            if got_status != status or (body is not None and got_body != body):
                raise Wrong(f"to {request[:60]!r} came {got_status} {got_body[:100]!r}, not {status}")
            self.answered += 1
            if closing or self.random.random() < 0.05:
                writer.close()
                writer = None
        if writer:
            writer.close()

    async def work(self, requests):
        self.left = requests
        await asyncio.gather(*(self.client() for _ in range(CLIENTS)))


class Load:
    def settle(self, server):
        """Waits until the scripts of those who left have gone, too."""
        self.assertTrue(eventually(lambda: not server.children() and not server.scripts()), "scripts are left")
        self.assertTrue(
            eventually(lambda: server.descriptors() == server.descriptors_before),
            server.descriptors() - server.descriptors_before,
        )
        self.assertEqual(list(server.temporary.iterdir()), [])
        return server.memory()

    def load(self, *portions, **options):
        """Leaving the context looks for what is left. Returns the memory after each portion."""
        with Server(jobs=8, queue=200, timeout=60, grace=1, **options) as server:
            swarm = Swarm(server, SEED)
            memory = []
            for portion in portions:
                asyncio.run(swarm.work(portion))
                memory.append(self.settle(server))
            self.assertEqual(fetch(server, "/cgi-bin/hello.sh").text, "hello\n")
            self.assertEqual(swarm.answered + swarm.aborted, sum(portions))
            print(
                f"{swarm.answered} answered, {swarm.aborted} aborted, resident KiB: {[size >> 10 for size in memory]}"
            )
        return memory


class Everyday(Load, unittest.TestCase):
    def test_two_thousand_requests(self):
        self.load(2000)

    def test_two_thousand_requests_on_two_loops(self):
        self.load(2000, threads=2)


class Long(Load, unittest.TestCase):
    def test_a_hundred_thousand_requests(self):
        memory = self.load(20_000, 40_000, 40_000)
        self.assertLess(memory[-1] - memory[0], memory_for(1 << 20), memory)
