# SPDX-License-Identifier: MIT
"""What a script may answer, RFC 3875 section 6, and how that reaches the client: at once, and never more than it takes."""
import hashlib
import os
import re
import threading
import time
import unittest

from harness import PATIENCE, Client, Server, chunked, eventually, fetch, memory_for, message, saying


def setUpModule():
    global server
    server = Server(jobs=4, timeout=60)


def tearDownModule():
    server.close()


class Heads(unittest.TestCase):
    def test_a_status(self):
        reply = fetch(server, saying(b"Status: 418 I'm a teapot\r\nContent-Type: text/plain\r\n\r\nshort and stout"))
        self.assertEqual((reply.status, reply.reason, reply.text), (418, "I'm a teapot", "short and stout"))
        self.assertIsNone(reply.get("Status"))
        self.assertEqual(fetch(server, saying(b"Status: 503\n\n")).status, 503)

    def test_both_kinds_of_line_ends(self):
        for end in (b"\n", b"\r\n"):
            reply = fetch(server, saying(b"Content-Type: text/x" + end + b"X-Two: b" + end + end + b"\r\nbody"))
            self.assertEqual((reply.get("Content-Type"), reply.get("X-Two"), reply.body), ("text/x", "b", b"\r\nbody"))

    def test_headers_pass_as_they_are(self):
        reply = fetch(
            server, saying(b"Content-Type: a/b\nSet-Cookie: a=1\nSet-Cookie: b=2\nX-Colon: a:b: c\nX-Empty:\n\n")
        )
        self.assertEqual(reply.all("Set-Cookie"), ["a=1", "b=2"])
        self.assertEqual((reply.get("X-Colon"), reply.get("X-Empty")), ("a:b: c", ""))
        self.assertIsNotNone(reply.get("Date"))

    def test_the_connection_is_not_the_scripts(self):
        answer = b"Content-Type: a/b\nConnection: X-Kept, close\nTransfer-Encoding: gzip\nKeep-Alive: x\nUpgrade: h2c\nTrailer: x\nX-Kept: y\n\nbody"
        with Client(server) as client:
            reply = client.request(saying(answer))
            self.assertEqual((reply.body, reply.get("Upgrade")), (b"body", None))
            self.assertEqual(client.request("/index.html").status, 200)

    def test_redirections(self):
        reply = fetch(server, saying(b"Location: http://example.org/x?y#z\n\n"))
        self.assertEqual((reply.status, reply.get("Location")), (302, "http://example.org/x?y#z"))
        reply = fetch(
            server, saying(b"Status: 301 Moved\nLocation: https://example.org/\nContent-Type: text/plain\n\nthere")
        )
        self.assertEqual((reply.status, reply.text), (301, "there"))

    def test_a_local_redirection_is_followed_by_the_server(self):
        """RFC 3875, section 6.2.2: the client sees the other resource, and no redirection."""
        reply = fetch(server, saying(b"Location: /index.html\n\n"))
        self.assertEqual((reply.status, reply.text, reply.get("Location")), (200, "<p>index</p>\n", None))
        reply = fetch(server, saying(b"Location: /cgi-bin/state.sh/info?query=1\n\n"), "POST", body=b"abc")
        self.assertEqual(reply.status, 200)
        self.assertIn("QUERY_STRING=query=1\0", reply.text)
        self.assertIn("PATH_INFO=/info\0", reply.text)
        self.assertIn("REQUEST_METHOD=GET\0", reply.text)
        self.assertNotIn("CONTENT_LENGTH=3", reply.text)
        self.assertEqual(fetch(server, saying(b"Location: /missing\n\n")).status, 404)

    def test_a_local_redirection_does_not_lead_out_or_in_circles(self):
        circle = server.bin / "circle.sh"
        circle.write_text('#!/bin/sh\nprintf "Location: /cgi-bin/circle.sh\\n\\n"\n')
        circle.chmod(0o755)
        self.assertGreaterEqual(fetch(server, "/cgi-bin/circle.sh").status, 500)
        self.assertIn(fetch(server, saying(b"Location: /../../../../etc/passwd\n\n")).status, (400, 403, 404, 500, 502))

    def test_what_is_no_head(self):
        """502, whole, on a connection that goes on; the reason is for the log."""
        heads = [
            b"",
            b"\n",
            b"\n\nbody",
            b"no colon\n\n",
            b"Content-Type: text/plain\n",
            b"Content-Type text/plain\n\n",
            b": x\n\n",
            b"X Y: z\n\n",
            b"Content-Type: a/b\nX-Nul: a\0b\n\n",
            b"Status: abc\n\n",
            b"Status: 99\n\n",
            b"Status: 1000 Many\n\n",
            b"Status: 101 Switching\n\n",
            b"Status: 200 OK\nContent-Length: -1\n\n",
            b"Status: 200 OK\nContent-Length: 1\nContent-Length: 2\n\nab",
            b"Content-Type: a/b\n folded: x\n\n",
            b"Content-Type: a/b\nX: a\rSet-Cookie: evil=1\n\n",
            b"X" * 200_000 + b": y\n\n",
            b"Status: 200 OK\rX-Evil: 1\n\n",
            b"HTTP/1.1 200 OK\nContent-Type: a/b\n\n",
        ]
        for head in heads:
            with self.subTest(head[:60]), Client(server) as client:
                reply = client.request(saying(head) if len(head) < 1000 else "/cgi-bin/flood_line.sh")
                evil = [name for name, _ in reply.headers if name in ("X-Evil", "Set-Cookie")]
                self.assertEqual((reply.status, reply.complete, evil), (502, True, []))
                self.assertNotIn("body", reply.text)

    def test_nph_scripts_speak_for_themselves(self):
        with Client(server) as client:
            reply = client.request("/cgi-bin/nph-plain.sh")
            self.assertEqual((reply.status, reply.reason, reply.text), (299, "Unparsed", "raw\n"))
            self.assertEqual(sorted(name for name, _ in reply.headers), ["Connection", "Content-Length", "X-Made-By"])
            self.assertTrue(client.ended(), "nobody but the script knows where its answer ends")

    def test_an_answer_that_is_broken_off_does_not_look_complete(self):
        """Not even where the end of the connection is the end of the answer."""
        die = server.bin / "nph-die.sh"
        die.write_text('#!/bin/sh\nprintf "HTTP/1.1 200 OK\\r\\n\\r\\nhalf"\nsleep 0.3\nkill -9 $$\n')
        die.chmod(0o755)
        half = server.bin / "half-die.sh"
        half.write_text('#!/bin/sh\nprintf "Content-Type: a/b\\n\\nhalf"\nsleep 0.3\nkill -9 $$\n')
        half.chmod(0o755)
        self.assertFalse(fetch(server, "/cgi-bin/nph-die.sh").complete)
        self.assertFalse(fetch(server, "/cgi-bin/half-die.sh", version="1.0").complete)

    def test_a_script_that_fails_after_its_answer(self):
        reply = fetch(server, "/cgi-bin/fail.sh")
        self.assertEqual((reply.status, reply.text), (200, "all of it\n"))
        self.assertTrue(eventually(lambda: re.search(r"fail\.sh\[\d+\] exited with code 3", server.log())))

    def test_what_a_script_complains_of_is_in_the_log(self):
        self.assertEqual(fetch(server, "/cgi-bin/log.sh").text, "logged\n")
        self.assertTrue(eventually(lambda: "no line end, and an escape" in server.log()))
        lines = [line for line in server.log().splitlines() if "a word for the log" in line]
        self.assertIn("log.sh", lines[0])
        self.assertNotIn("\033", server.log())

    def test_a_request_cannot_write_into_the_log(self):
        fetch(server, "/cgi-bin/missing%0d%0aforged%20line", headers=[("User-Agent", "\x80\x9b2J")])
        self.assertFalse(any(line.startswith("forged") for line in server.log().splitlines()))


class Streams(unittest.TestCase):
    def test_both_directions_at_once(self):
        with Client(server) as client:
            client.send(message("/cgi-bin/ticks.py", "POST", [("Content-Length", "5")]))
            self.assertEqual(client.head()[1], 200)
            self.assertEqual(client.chunk(), b"begin\n")
            for letter in b"abcde":
                client.send(bytes([letter]))
                text = b""
                while not text.endswith(b"\n"):
                    text += client.chunk()
                self.assertTrue(text.startswith(b"got " + bytes([letter]) + b"\n"), text)
            rest = text[6:]
            while piece := client.chunk():
                rest += piece
            self.assertEqual(rest, b"end\n")

    def test_four_megabytes_are_echoed_while_they_are_sent(self):
        body = os.urandom(4 << 20)
        for coding in ("length", "chunked"):
            with self.subTest(coding), Client(server, timeout=3 * PATIENCE) as client:
                if coding == "length":
                    data = message("/cgi-bin/echo.sh", "POST", body=body)
                else:
                    pieces = [body[at : at + 50_000] for at in range(0, len(body), 50_000)]
                    data = message("/cgi-bin/echo.sh", "POST", [("Transfer-Encoding", "chunked")]) + chunked(*pieces)
                sender = threading.Thread(target=client.send, args=(data,))
                sender.start()
                reply = client.response()
                sender.join()
                self.assertTrue(reply.complete)
                self.assertEqual(hashlib.sha256(reply.body).digest(), hashlib.sha256(body).digest())

    def test_a_body_of_fifty_megabytes_costs_no_memory(self):
        piece = os.urandom(1 << 20)
        before = server.memory()
        digest = hashlib.sha256()
        with Client(server, timeout=3 * PATIENCE) as client:
            client.send(message("/cgi-bin/sum.sh", "POST", [("Content-Length", str(50 << 20))]))
            for _ in range(50):
                client.send(piece)
                digest.update(piece)
            most = server.memory() - before
            self.assertEqual(client.response().text, digest.hexdigest() + "\n")
        self.assertLess(most, memory_for(8 << 20))

    def test_a_script_that_does_not_read_holds_the_client_back(self):
        """The server takes what the pipe and it itself hold, and no more; and goes on when the script does."""
        before = server.memory()
        with Client(server) as client:
            client.send(message("/cgi-bin/slow.sh?2", "POST", [("Content-Length", str(100 << 20))]))
            client.socket.settimeout(0.5)
            sent = 0
            try:
                while sent < 100 << 20:
                    sent += client.socket.send(b"x" * 65536)
            except TimeoutError:
                pass
            self.assertLess(sent, 32 << 20)
            self.assertLess(server.memory() - before, memory_for(8 << 20))
            client.socket.settimeout(PATIENCE)
            self.assertEqual(client.response().text, "slow\n")

    def test_a_client_that_does_not_read_holds_the_script_back(self):
        before = server.memory()
        with Client(server, receive_buffer=8192) as client:
            client.send(message("/cgi-bin/flood.sh"))
            server.note("flood")
            time.sleep(1)
            self.assertLess(server.memory() - before, memory_for(8 << 20))
            self.assertEqual(client.head()[1], 200)
            for _ in range(200):
                self.assertEqual(set(client.chunk()), {0})
        self.assertTrue(eventually(lambda: not server.children()))

    def test_what_a_script_wrote_before_it_ended_reaches_a_slow_reader(self):
        """Long after the script has gone: no time limit is for what lies in a pipe already."""
        size = 6 << 20
        for stop in range(0, size, 2 << 20):
            with self.subTest(stop=stop), Client(server, receive_buffer=65536) as client:
                client.send(message(f"/cgi-bin/burst.sh?{size}"))
                client.head()
                total = 0
                while total < stop:
                    total += len(client.chunk())
                time.sleep(1.5)
                while piece := client.chunk():
                    total += len(piece)
                self.assertEqual(total, size)

    def test_many_slow_readers_of_floods_cost_little(self):
        before = server.memory()
        clients = [Client(server, receive_buffer=8192) for _ in range(4)]
        for client in clients:
            client.send(message("/cgi-bin/flood.sh"))
        self.assertTrue(eventually(lambda: len(server.children()) == 4))
        time.sleep(1)
        self.assertLess(server.memory() - before, memory_for(8 << 20))
        for client in clients:
            client.reset()
        self.assertTrue(eventually(lambda: not server.children()))
