# SPDX-License-Identifier: MIT
"""Requests, and scripts' answers, that were right and then were damaged by chance: whatever they mean, the server lives
on, answers in HTTP, and sends no header that a script has smuggled in. Under a sanitizer more of it shows."""
import random
import unittest

from harness import Client, Server, chunked, fetch, message

SEED = 42
BATCH = 50

REQUESTS = [
    message("/index.html", headers=[("Range", "bytes=0-5"), ("If-Modified-Since", "Thu, 01 Jan 1970 00:00:01 GMT")]),
    message("/cgi-bin/raw.sh/path%20info?query", "POST", [("Transfer-Encoding", "chunked")])
    + chunked(b"Content-Type: a/b\n", b"\nbody"),
    message("/cgi-bin/raw.sh", "POST", [("Expect", "100-continue")], b"Status: 404 No\r\nLocation: /x\r\n\r\n"),
    message(
        "http://example.org:80/deep/../index.html?a=b#c",
        headers=[("Connection", "keep-alive, Upgrade"), ("Upgrade", "h2c")],
    ),
    message("/-/status?json", headers=[("Accept", "application/json")]),
    message("/index.html", "HEAD", version="1.0", host=None) + message("/index.html"),
]

ANSWERS = [
    b"Content-Type: text/plain\r\nX-One: 1\r\n\r\nbody",
    b"Status: 404 Not Found\nContent-Length: 4\nSet-Cookie: a=b\n\nbody",
    b"Location: /index.html\n\n",
    b"Location: http://example.org/\nStatus: 301 Moved\nContent-Type: a/b\n\nbody",
]

PIECES = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b": ",
    b" ",
    b"\t",
    b"%00",
    b"%",
    b"/../",
    b"//",
    b"\xff",
    b"0",
    b"-1",
    b"99999999999999999999",
    b"chunked",
    b"Content-Length: 3\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"HTTP/1.1",
    b"\r\n\r\n",
    b"x" * 9000,
]


class Damage:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def done_to(self, data):
        data = bytearray(data)
        for _ in range(self.random.choice((1, 1, 1, 2, 3, 8))):
            at = self.random.randrange(len(data) + 1)
            what = self.random.randrange(5)
            if what == 0:
                data[at:at] = self.random.choice(PIECES)
            elif what == 1:
                del data[at : at + self.random.choice((1, 2, 10))]
            elif what == 2 and at < len(data):
                data[at] = self.random.randrange(256)
            elif what == 3:
                piece = data[at : at + self.random.randrange(40)]
                data[at:at] = piece
            elif self.random.random() < 0.3:
                del data[at:]
        return bytes(data)


class Fuzz:
    def test_requests(self):
        damage = Damage(SEED)
        with Server(jobs=4, client_timeout=0.3, keep_alive=0.3) as server:
            for _ in range(0, self.rounds, BATCH):
                asked = {Client(server): damage.done_to(damage.random.choice(REQUESTS)) for _ in range(BATCH)}
                for client, data in asked.items():
                    client.send(data)
                for client, data in asked.items():
                    with self.subTest(data=data[:300]), client:
                        try:
                            answer = client.stream.read()
                        except ConnectionError:
                            answer = b""
                        self.assertRegex(answer, rb"\A(HTTP/1\.[01] \d\d\d |\Z)")
                self.assertIsNone(server.process.poll(), "it died")
            self.assertEqual(fetch(server, "/index.html").status, 200)

    def test_answers(self):
        damage = Damage(SEED)
        with Server(jobs=4) as server, Client(server) as client:
            for number in range(self.rounds):
                answer = damage.done_to(damage.random.choice(ANSWERS))
                with self.subTest(number=number, answer=answer[:300]):
                    try:
                        reply = client.request("/cgi-bin/raw.sh", "POST", body=answer)
                        self.assertLessEqual(len(reply.all("Content-Length")), 1)
                        self.assertGreaterEqual(reply.status, 200)
                        if not reply.complete or reply.get("Connection") == "close":
                            raise ConnectionError
                    except (ConnectionError, AssertionError) as error:
                        client.close()
                        client.__init__(server)
                        if isinstance(error, AssertionError):
                            raise
                self.assertIsNone(server.process.poll(), f"it died of {answer!r}")


class Everyday(Fuzz, unittest.TestCase):
    rounds = 250


class Long(Fuzz, unittest.TestCase):
    rounds = 20_000
