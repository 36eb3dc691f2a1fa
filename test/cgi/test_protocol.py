# SPDX-License-Identifier: MIT
"""HTTP/1.1 as RFC 9112 has it: what a client may send, and what is refused."""
import hashlib
import itertools
import os
import select
import socket
import time
import unittest

from harness import PATIENCE, SLOWNESS, Client, Server, chunked, eventually, fetch, memory_for, message, saying

CLIENT_TIMEOUT = 1
MAX_BODY = 1 << 20


def setUpModule():
    global server
    server = Server(client_timeout=CLIENT_TIMEOUT, keep_alive=CLIENT_TIMEOUT, max_body="1M", jobs=4)


def tearDownModule():
    server.close()


def digest(data):
    return hashlib.sha256(data).hexdigest() + "\n"


class KeepAlive(unittest.TestCase):
    def test_one_connection_serves_many_requests(self):
        with Client(server) as client:
            for path, text in (("/index.html", "<p>index</p>\n"), ("/cgi-bin/hello.sh", "hello\n")) * 3:
                reply = client.request(path)
                self.assertEqual((reply.status, reply.text, reply.complete), (200, text, True))

    def test_close_is_obeyed(self):
        for path in ("/index.html", "/cgi-bin/hello.sh", "/missing"):
            with Client(server) as client:
                reply = client.request(path, headers=[("Connection", "close")])
                self.assertEqual(reply.get("Connection"), "close", path)
                self.assertTrue(client.ended(), path)

    def test_http_1_0_ends_with_the_connection(self):
        for path in ("/index.html", "/cgi-bin/hello.sh"):
            with Client(server) as client:
                reply = client.request(path, version="1.0", host=None)
                self.assertEqual((reply.status, reply.get("Transfer-Encoding")), (200, None), path)
                self.assertTrue(client.ended(), path)

    def test_http_1_0_may_ask_to_go_on(self):
        with Client(server) as client:
            for path in ("/index.html", "/missing", "/index.html"):
                reply = client.request(path, headers=[("Connection", "keep-alive")], version="1.0", host=None)
                self.assertEqual(reply.get("Connection").lower(), "keep-alive", path)
                self.assertIsNotNone(reply.get("Content-Length"), path)

    def test_pipelined_requests_are_answered_in_order(self):
        body = os.urandom(5000)
        with Client(server) as client:
            client.send(
                message(saying(b"Content-Type: a/b\n\none"))
                + message("/index.html")
                + message("/cgi-bin/sum.sh", "POST", body=body)
                + message("/cgi-bin/sum.sh", "POST", [("Transfer-Encoding", "chunked")])
                + chunked(b"in ", b"chunks")
                + message("/index.html", "HEAD")
                + message("/missing")
                + message("/cgi-bin/hello.sh", headers=[("Connection", "close")])
                + message("/index.html")
            )
            texts = [client.response().text for _ in range(4)]
            self.assertEqual(texts, ["one", "<p>index</p>\n", digest(body), digest(b"in chunks")])
            self.assertEqual(client.response("HEAD").status, 200)
            self.assertEqual(client.response().status, 404)
            self.assertEqual(client.response().text, "hello\n")
            self.assertTrue(client.ended(), "what comes after Connection: close is not answered")

    def test_a_request_may_come_in_single_bytes(self):
        data = message("/cgi-bin/sum.sh", "POST", [("Transfer-Encoding", "chunked")]) + chunked(b"a", b"bc")
        with Client(server) as client:
            for byte in data:
                client.send(bytes([byte]))
                time.sleep(0.001)
            self.assertEqual(client.response().text, digest(b"abc"))

    def test_empty_lines_before_a_request_are_skipped(self):
        with Client(server) as client:
            client.send(b"\r\n" + message("/index.html"))
            self.assertEqual(client.response().status, 200)

    def test_an_idle_connection_is_closed_in_time(self):
        with Client(server) as client:
            client.request("/index.html")
            self.assertTrue(client.ended())


class Bodies(unittest.TestCase):
    def test_a_chunked_request_with_extensions_and_trailers(self):
        with Client(server) as client:
            client.send(
                message("/cgi-bin/sum.sh", "POST", [("Transfer-Encoding", "chunked")])
                + b'5;name=value;other="quo;ted"\r\nhello\r\n0A\r\n0123456789\r\n0\r\nX-Trailer: dropped\r\n\r\n'
            )
            self.assertEqual(client.response().text, digest(b"hello0123456789"))
            self.assertEqual(client.request("/index.html").status, 200)

    def test_an_empty_chunked_request(self):
        with Client(server) as client:
            client.send(message("/cgi-bin/sum.sh", "POST", [("Transfer-Encoding", "chunked")]) + chunked())
            self.assertEqual(client.response().text, digest(b""))

    def test_a_response_of_unknown_length_is_chunked(self):
        body = os.urandom(300_000)
        reply = fetch(server, "/cgi-bin/echo.sh", "POST", body=body)
        self.assertEqual((reply.get("Transfer-Encoding"), reply.get("Content-Length")), ("chunked", None))
        self.assertEqual(reply.body, body)

    def test_a_response_of_unknown_length_ends_with_the_connection_of_http_1_0(self):
        body = os.urandom(300_000)
        reply = fetch(server, "/cgi-bin/echo.sh", "POST", body=body, version="1.0")
        self.assertEqual((reply.get("Transfer-Encoding"), reply.get("Content-Length")), (None, None))
        self.assertEqual(reply.body, body)

    def test_the_length_that_a_script_gives_is_kept(self):
        reply = fetch(server, saying(b"Content-Type: a/b\nContent-Length: 3\n\nabc"))
        self.assertEqual((reply.get("Content-Length"), reply.text), ("3", "abc"))

    def test_a_script_cannot_write_beyond_its_length_into_the_next_response(self):
        with Client(server) as client:
            client.send(message(saying(b"Content-Type: a/b\nContent-Length: 3\n\nabcHTTP/1.1 200 Evil")))
            client.send(message("/index.html"))
            self.assertEqual(client.response().text, "abc")
            try:
                self.assertEqual(client.response().text, "<p>index</p>\n")
            except ConnectionError:
                pass  # closing the connection is as good

    def test_a_script_that_writes_less_than_its_length_is_seen_to_have_failed(self):
        with Client(server) as client:
            reply = client.request(saying(b"Content-Type: a/b\nContent-Length: 9\n\nabc"))
            self.assertEqual((reply.text, reply.complete), ("abc", False))

    def test_the_client_is_told_to_continue(self):
        with Client(server) as client:
            client.send(message("/cgi-bin/sum.sh", "POST", [("Content-Length", "3"), ("Expect", "100-continue")]))
            self.assertEqual(client.head()[1], 100)
            client.send(b"abc")
            self.assertEqual(client.response().text, digest(b"abc"))
            self.assertEqual(client.request("/index.html").status, 200)

    def test_nobody_is_told_to_continue_with_what_is_refused(self):
        for path, length, status in (("/cgi-bin/sum.sh", MAX_BODY + 1, 413), ("/cgi-bin/missing", 10, 404)):
            with Client(server) as client:
                client.send(message(path, "POST", [("Content-Length", str(length)), ("Expect", "100-continue")]))
                reply = client.response()
                self.assertEqual((reply.status, reply.interim), (status, []), path)

    def test_an_unknown_expectation_is_refused(self):
        self.assertEqual(fetch(server, "/index.html", headers=[("Expect", "the-moon")]).status, 417)

    def test_a_chunked_body_that_nobody_reads_is_thrown_away_up_to_a_bound(self):
        """And what comes after it too: a reset would take the response from a client that reads it last."""
        sizes = ((512 << 10, True), (1 << 20, True), (3 << 20, False))
        with Server(client_timeout=CLIENT_TIMEOUT, max_body="8M") as roomy:
            for at, (size, goes_on), late in itertools.product((server, roomy), sizes, (False, True)):
                body = chunked(*[b"x" * 65536] * (size >> 16))
                with self.subTest(roomy=at is roomy, size=size, late=late), Client(at, send_buffer=65536) as client:
                    client.send(message("/missing", "POST", [("Transfer-Encoding", "chunked")]))
                    if not late:
                        self.assertEqual(client.response().status, 405)
                    client.send(body)
                    if late:
                        self.assertEqual(client.response().status, 405)
                    if goes_on:
                        self.assertEqual(client.request("/index.html").status, 200)
                    else:
                        self.assertTrue(client.ended())

    def test_after_a_body_that_nobody_reads_bad_chunks_end_the_connection(self):
        with Client(server, send_buffer=65536) as client:
            client.send(message("/missing", "POST", [("Transfer-Encoding", "chunked")]))
            client.send(b"5\r\nhello\r\nnone\r\n" + b"x" * (2 << 20))
            self.assertEqual(client.response().status, 405)
            self.assertTrue(client.ended())

    def test_a_body_that_nobody_reads_may_come_late(self):
        """Once its time is over the connection ends, but not with a reset while the client is still sending."""
        with Client(server) as client:
            client.send(message("/missing", "POST", [("Transfer-Encoding", "chunked")]))
            for pause in (CLIENT_TIMEOUT * 1.3, 0.1, 0.1):
                client.send(b"5\r\nhello\r\n")
                time.sleep(pause)
            self.assertEqual(client.response().status, 405)
            self.assertTrue(client.ended())

    def test_a_head_that_is_refused_has_no_body(self):
        with Client(server) as client:
            client.send(b"HEAD /%00 HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertEqual(client.response("HEAD").status, 400)
            self.assertTrue(client.ended())

    def test_head_has_the_headers_and_no_body(self):
        with Client(server) as client:
            for path in ("/index.html", "/cgi-bin/hello.sh", "/missing", "/-/status"):
                with self.subTest(path):
                    head = client.request(path, "HEAD")
                    full = client.request(path)
                    self.assertEqual(head.status, full.status)
                    self.assertEqual(head.get("Content-Type"), full.get("Content-Type"))
                    if path == "/index.html":
                        self.assertEqual(head.get("Content-Length"), full.get("Content-Length"))

    def test_a_status_without_body_has_none(self):
        with Client(server) as client:
            for status in (204, 304):
                reply = client.request(saying(b"Status: %d None\nContent-Length: 9\n\n" % status))
                self.assertEqual(reply.status, status)
                self.assertEqual(client.request("/index.html").status, 200, "its length is another response's")
                reply = client.request(saying(b"Status: %d None\n\nsmuggled" % status))
                self.assertEqual(reply.status, status)
                self.assertEqual(reply.get("Transfer-Encoding"), None)
                try:
                    self.assertEqual(client.request("/index.html").text, "<p>index</p>\n")
                except ConnectionError:
                    client.__init__(server)


class Limits(unittest.TestCase):
    def refused(self, data, *statuses):
        with Client(server) as client:
            try:
                client.send(data)
            except ConnectionError:
                pass  # it need not listen to all of it
            reply = client.response()
            self.assertIn(reply.status, statuses, data[:80])
            self.assertTrue(client.ended(), data[:80])

    def test_a_long_header_is_refused(self):
        self.refused(message("/index.html", headers=[("X-Long", "x" * 200_000)]), 431)

    def test_many_headers_are_refused(self):
        self.refused(message("/index.html", headers=[(f"X-{i}", "y") for i in range(5000)]), 431)

    def test_a_long_target_is_refused(self):
        self.refused(message("/" + "x" * 200_000), 414, 431)

    def test_a_head_without_end_is_refused(self):
        self.refused(b"GET /index.html HTTP/1.1\r\n" + b"X-Header: and more\r\n" * 50_000, 431)

    def test_a_long_body_is_refused_before_it_is_read(self):
        self.refused(message("/cgi-bin/sum.sh", "POST", [("Content-Length", str(MAX_BODY + 1))]), 413)

    def test_a_long_chunked_body_is_refused_when_it_gets_too_long(self):
        data = message("/cgi-bin/sum.sh", "POST", [("Transfer-Encoding", "chunked")])
        self.refused(data + chunked(*[b"x" * 65536] * 17), 413)

    def test_pipelined_requests_whose_answers_nobody_reads(self):
        """Their number is not limited, the memory they take is."""
        before = server.memory()
        with Client(server, timeout=0.3, receive_buffer=8192) as client:
            with self.assertRaises(OSError):
                for _ in range(3000):
                    client.send(message("/index.html") * 100)
            self.assertLess(server.memory() - before, memory_for(8 << 20))

    def test_a_body_as_long_as_allowed_is_taken(self):
        body = os.urandom(MAX_BODY)
        self.assertEqual(fetch(server, "/cgi-bin/sum.sh", "POST", body=body).text, digest(body))
        with Client(server) as client:
            client.send(message("/cgi-bin/sum.sh", "POST", [("Transfer-Encoding", "chunked")]) + chunked(body))
            self.assertEqual(client.response().text, digest(body))


class Smuggling(unittest.TestCase):
    """What two servers in a row might read differently is an error, and the connection ends with it."""

    def refused(self, data, statuses=(400, 501)):
        with Client(server) as client:
            client.send(data + message("/index.html"))
            reply = client.response()
            self.assertIn(reply.status, statuses, data)
            self.assertTrue(client.ended(), data)

    def post(self, headers, body=b""):
        return b"POST /cgi-bin/sum.sh HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n\r\n" + body

    def test_length_and_chunks_at_once(self):
        self.refused(self.post(b"Content-Length: 5\r\nTransfer-Encoding: chunked", b"0\r\n\r\n"))
        self.refused(self.post(b"Transfer-Encoding: chunked\r\nContent-Length: 5", b"0\r\n\r\n"))

    def test_two_lengths(self):
        self.refused(self.post(b"Content-Length: 5\r\nContent-Length: 6", b"abcdef"))
        self.refused(self.post(b"Content-Length: 5, 6", b"abcdef"))

    def test_a_length_that_is_no_number(self):
        for length in (
            b"+5",
            b"-5",
            b"5 5",
            b"0x5",
            b"5a",
            b"",
            b"five",
            b"99999999999999999999999",
            b"18446744073709551617",
        ):
            with self.subTest(length=length):
                self.refused(self.post(b"Content-Length: " + length, b"abcde"), (400, 411, 413))

    def test_codings_that_are_not_chunked(self):
        for coding in (
            b"gzip",
            b"identity",
            b"xchunked",
            b"chunked, identity",
            b"chunked, chunked",
            b"\x0bchunked",
            b"chunked\x00",
        ):
            with self.subTest(coding=coding):
                self.refused(self.post(b"Transfer-Encoding: " + coding, b"0\r\n\r\n"))

    def test_two_codings(self):
        for first, second in (
            (b"chunked", b"identity"),
            (b"chunked", b"xchunked"),
            (b"identity", b"chunked"),
            (b"chunked", b"chunked"),
        ):
            with self.subTest(first=first, second=second):
                headers = b"Transfer-Encoding: " + first + b"\r\nTransfer-Encoding: " + second
                self.refused(self.post(headers, b"0\r\n\r\n"))

    def test_a_coding_that_is_hidden(self):
        self.refused(self.post(b"Transfer-Encoding : chunked", b"0\r\n\r\n"))
        self.refused(self.post(b"Transfer-Encoding\t: chunked", b"0\r\n\r\n"))
        self.refused(self.post(b"X: y\r\n Transfer-Encoding: chunked\r\nTransfer-Encoding: xchunked", b"0\r\n\r\n"))

    def test_a_chunked_request_of_http_1_0(self):
        data = b"POST /cgi-bin/sum.sh HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        with Client(server) as client:
            client.send(data + message("/index.html"))
            reply = client.response()
            self.assertTrue(client.ended(), reply)

    def test_chunks_that_are_none(self):
        for chunk in (
            b"5\r\nhelloXX0\r\n\r\n",
            b"g\r\n",
            b"-1\r\n",
            b"0x5\r\nhello\r\n0\r\n\r\n",
            b"\r\nhello",
            b"fffffffffffffffff\r\nhello",
            b"5 5\r\nhello\r\n0\r\n\r\n",
        ):
            with self.subTest(chunk=chunk):
                self.refused(self.post(b"Transfer-Encoding: chunked", chunk), (400, 413))

    def test_line_ends_that_are_none(self):
        for data in (
            b"GET /index.html HTTP/1.1\r\nHost: a\r\n\rA",
            b"\rGET /index.html HTTP/1.1\r\nHost: a\r\n\r\n",
            b"POST /cgi-bin/hang.sh HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\rAabc",
        ):
            with self.subTest(data=data):
                self.refused(data)
                with Client(server) as client:
                    for letter in data:
                        client.send(bytes([letter]))
                    self.assertEqual(client.response().status, 400)
        self.refused(b"POST /cgi-bin/hang.sh HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\rA0\r\n\r\n")

    def test_trailers_that_are_none(self):
        for trailer in (b"\rA", b"X: y\r\n\rA", b"X: y\rz\r\n\r\n", b"X y: z\r\n\r\n", b" X: y\r\n\r\n", b"X: y\n\r\n"):
            with self.subTest(trailer=trailer):
                self.refused(self.post(b"Transfer-Encoding: chunked", b"0\r\n" + trailer))

    def test_odd_bytes_in_the_head(self):
        for line in (
            b"X-Nul: a\0b",
            b"X-Return: a\rb",
            b"X Space: y",
            b": nameless",
            b"no colon",
            b"X\x7f: y",
            b"X(: y",
        ):
            with self.subTest(line=line):
                self.refused(b"GET /index.html HTTP/1.1\r\nHost: localhost\r\n" + line + b"\r\n\r\n")

    def test_odd_bytes_in_the_query(self):
        for letter in (b"\x01", b"\t", b"\x7f"):
            with self.subTest(letter=letter):
                self.refused(b"GET /index.html?a" + letter + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")

    def test_a_host_that_is_only_a_port(self):
        self.refused(b"GET /index.html HTTP/1.1\r\nHost: :80\r\n\r\n")

    def test_a_folded_header_does_not_become_two(self):
        with Client(server) as client:
            client.send(b"GET /cgi-bin/state.sh HTTP/1.1\r\nHost: a\r\nX-One: 1\r\n X-Two: 2\r\n\r\n")
            reply = client.response()
            self.assertNotIn("HTTP_X_TWO", reply.text)

    def test_requests_that_are_none(self):
        for data in (
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"GET\r\n\r\n",
            b"GET /index.html HTTP/3.0\r\nHost: a\r\n\r\n",
            b"GET /index.html HTP/1.1\r\nHost: a\r\n\r\n",
            b"G<T /index.html HTTP/1.1\r\nHost: a\r\n\r\n",
            b"\0\0\0\0\0\0\0\0\r\n\r\n",
        ):
            with self.subTest(data=data), Client(server) as client:
                client.send(data)
                try:
                    self.assertIn(client.response().status, (400, 405, 501, 505))
                except ConnectionError:
                    pass
                self.assertTrue(client.ended())


class Methods(unittest.TestCase):
    def test_unknown_ones(self):
        for method in ("BREW", "get", "CONNECT"):
            with Client(server) as client:
                client.send(f"{method} /cgi-bin/hello.sh HTTP/1.1\r\nHost: a\r\n\r\n".encode())
                self.assertEqual(client.response().status, 501, method)

    def test_what_the_server_can_do(self):
        with Client(server) as client:
            client.send(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
            reply = client.response()
            self.assertEqual(reply.status, 204)
            self.assertIn("GET", reply.get("Allow"))

    def test_an_upgrade_is_passed_over(self):
        reply = fetch(server, "/index.html", headers=[("Connection", "Upgrade"), ("Upgrade", "websocket")])
        self.assertEqual((reply.status, reply.text), (200, "<p>index</p>\n"))


class Host(unittest.TestCase):
    def test_http_1_1_needs_one(self):
        self.assertEqual(fetch(server, "/index.html", host=None).status, 400)
        self.assertEqual(fetch(server, "/index.html", version="1.0", host=None).status, 200)

    def test_two_are_refused(self):
        self.assertEqual(fetch(server, "/index.html", headers=[("Host", "other")]).status, 400)

    def test_an_odd_one_is_refused(self):
        for host in ("a b", "a/b", "a@b", "a:b", "a:99999999", "<script>", "a,b"):
            with self.subTest(host=host):
                self.assertEqual(fetch(server, "/index.html", host=host).status, 400)

    def test_the_target_may_be_absolute(self):
        reply = fetch(server, "http://example.org:81/cgi-bin/state.sh?q", host="localhost")
        self.assertEqual(reply.status, 200)
        self.assertIn("SERVER_NAME=example.org\0", reply.text)
        self.assertIn("QUERY_STRING=q\0", reply.text)


class SlowClients(unittest.TestCase):
    def in_time(self, client, started):
        """The connection ended, and it was neither at once nor late."""
        self.assertTrue(client.ended())
        self.assertGreater(time.monotonic() - started, CLIENT_TIMEOUT * 0.5)
        self.assertLess(time.monotonic() - started, CLIENT_TIMEOUT + 3 * SLOWNESS)

    def test_nothing_is_sent(self):
        with Client(server) as client:
            self.in_time(client, time.monotonic())

    def test_half_a_head_is_sent(self):
        with Client(server) as client:
            started = time.monotonic()
            client.send(b"GET /index.html HTTP/1.1\r\nHos")
            self.assertEqual(client.response().status, 408)
            self.in_time(client, started)

    def test_a_head_that_trickles_does_not_get_more_time(self):
        with Client(server) as client:
            started = time.monotonic()
            for byte in b"GET /index.html HTTP/1.1\r\nX: " + b"x" * 200:
                client.send(bytes([byte]))
                if select.select([client.socket], [], [], 0.05)[0]:
                    break
            self.assertEqual(client.response().status, 408)
            self.in_time(client, started)

    def test_half_a_body_is_sent(self):
        with Client(server) as client:
            started = time.monotonic()
            client.send(message("/cgi-bin/sum.sh", "POST", [("Content-Length", "10")]) + b"abc")
            self.assertEqual(client.response().status, 408)
            self.in_time(client, started)
        self.assertTrue(eventually(lambda: not server.children()), "the script has gone, too")

    def test_a_body_that_trickles_steadily_is_taken(self):
        with Client(server) as client:
            client.send(message("/cgi-bin/sum.sh", "POST", [("Content-Length", "30")]))
            for _ in range(30):
                client.send(b"x")
                time.sleep(CLIENT_TIMEOUT / 15)
            self.assertEqual(client.response().text, digest(b"x" * 30))

    def test_the_response_is_not_read(self):
        with Client(server, receive_buffer=4096) as client:
            client.send(message("/cgi-bin/flood.sh"))
            script = int(server.note("flood"))
            self.assertTrue(
                eventually(lambda: not server.children(), CLIENT_TIMEOUT + PATIENCE), f"script {script} still runs"
            )
        (server.notes / "flood").unlink()

    def test_a_long_answer_is_not_cut_as_long_as_it_is_read(self):
        """Steadily, but so slowly that the system's send buffer takes long to be writable again."""
        size = 20 << 20
        (server.root / "long").write_bytes(bytes(size))
        with Client(server, receive_buffer=65536) as client:
            client.send(message("/long"))
            self.assertEqual(dict(client.head()[3])["Content-Length"], str(size))
            left = size
            for _ in range(25):
                left -= len(client.stream.read(65536))
                time.sleep(CLIENT_TIMEOUT / 5)
            left -= len(client.stream.read(left))
            self.assertEqual(left, 0)

    def test_an_answer_is_whole_wherever_its_reader_pauses(self):
        """The keep-alive time begins only when all of it has gone out, and the end does not overtake it."""
        size = 10 << 20
        with Server(keep_alive=0.2, client_timeout=60) as patient:
            (patient.root / "long").write_bytes(bytes(size))
            clients = {}
            for stop in range(1 << 20, size, 1 << 20):
                for headers in ((), [("Connection", "close")]):
                    client = Client(patient, receive_buffer=65536)
                    client.send(message("/long", headers=headers))
                    client.head()
                    clients[client] = size - len(client.stream.read(stop))
            time.sleep(1)
            for client, left in clients.items():
                self.assertEqual(len(client.stream.read(left)), left)
                client.close()

    def test_who_stops_sending_still_gets_a_file(self):
        """As a client does that has nothing more to ask: its sending side is shut down."""
        with Client(server) as client:
            client.send(message("/index.html", headers=[("Connection", "close")]))
            client.socket.shutdown(socket.SHUT_WR)
            self.assertEqual(client.response().text, "<p>index</p>\n")
