# SPDX-License-Identifier: MIT
"""Files below --root, and paths that lead out of it."""
import os
import socket
import time
import unittest

from harness import Client, Server, eventually, fetch, memory_for, message

SECRET = "not for everybody"


def setUpModule():
    global server
    server = Server(jobs=4)
    (server.folder / "secret").write_text(SECRET)
    (server.folder / "root-beside").mkdir()
    (server.folder / "root-beside" / "secret").write_text(SECRET)
    root = server.root
    (root / "data.bin").write_bytes(bytes(range(256)) * 400)
    (root / "style.css").write_text("p { color: red }")
    (root / "with space & more.txt").write_text("spaced")
    (root / "grüße.txt").write_text("umlaut")
    (root / "100%.txt").write_text("percent")
    (root / "empty").write_text("")
    (root / "deep" / "er").mkdir(parents=True)
    (root / "deep" / "index.html").write_text("deep index")
    (root / "bare").mkdir()
    (root / "to_file").symlink_to(server.folder / "secret")
    (root / "to_folder").symlink_to(server.folder)
    (root / "deep" / "up").symlink_to("../..")
    os.mkfifo(root / "fifo")
    global listener
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(root / "socket"))


def tearDownModule():
    listener.close()
    server.close()


class Files(unittest.TestCase):
    def test_types(self):
        for path, kind in (
            ("/index.html", "text/html"),
            ("/style.css", "text/css"),
            ("/data.bin", "application/octet-stream"),
        ):
            with self.subTest(path):
                self.assertEqual(fetch(server, path).get("Content-Type").split(";")[0], kind)

    def test_contents(self):
        data = (server.root / "data.bin").read_bytes()
        reply = fetch(server, "/data.bin")
        self.assertEqual((reply.body, reply.get("Content-Length")), (data, str(len(data))))
        self.assertEqual(fetch(server, "/empty").body, b"")

    def test_names_are_decoded(self):
        for path, text in (
            ("/with%20space%20%26%20more.txt", "spaced"),
            ("/gr%C3%BC%C3%9Fe.txt", "umlaut"),
            ("/100%25.txt", "percent"),
            ("/%69ndex.html", "<p>index</p>\n"),
            ("/./deep/../index.html", "<p>index</p>\n"),
            ("/index.html?a=b", "<p>index</p>\n"),
        ):
            with self.subTest(path):
                self.assertEqual(fetch(server, path).text, text)

    def test_a_folder_shows_its_index(self):
        self.assertEqual(fetch(server, "/").text, "<p>index</p>\n")
        self.assertEqual(fetch(server, "/deep/").text, "deep index")

    def test_a_folder_without_a_slash_is_redirected(self):
        reply = fetch(server, "/deep?q")
        self.assertEqual((reply.status, reply.get("Location")), (301, "/deep/?q"))

    def test_a_redirection_does_not_leave_the_server(self):
        os.makedirs(server.root / "example.org", exist_ok=True)
        location = fetch(server, "//example.org").get("Location")
        self.assertFalse((location or "").startswith("//"), location)

    def test_a_folder_without_index_is_not_listed(self):
        self.assertIn(fetch(server, "/bare/").status, (403, 404))

    def test_a_file_is_no_folder(self):
        self.assertEqual(fetch(server, "/index.html/").status, 404)
        self.assertEqual(fetch(server, "/index.html/more").status, 404)

    def test_other_methods_are_not_for_files(self):
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            reply = fetch(server, "/index.html", method, body=b"x")
            self.assertEqual(reply.status, 405, method)
            self.assertIn("GET", reply.get("Allow"))

    def test_not_modified(self):
        first = fetch(server, "/data.bin")
        stamp = first.get("Last-Modified")
        self.assertIsNotNone(stamp)
        self.assertEqual(fetch(server, "/data.bin", headers=[("If-Modified-Since", stamp)]).status, 304)
        old = "Thu, 01 Jan 1970 00:00:01 GMT"
        self.assertEqual(fetch(server, "/data.bin", headers=[("If-Modified-Since", old)]).status, 200)
        self.assertEqual(fetch(server, "/data.bin", headers=[("If-Modified-Since", "yesterday")]).status, 200)

    def test_tags(self):
        tag = fetch(server, "/data.bin").get("ETag")
        self.assertRegex(tag, r'^(W/)?"[^"]+"$')
        for given, expected in ((tag, 304), (f'"x", {tag}', 304), ("*", 304), ('"x"', 200)):
            self.assertEqual(fetch(server, "/data.bin", headers=[("If-None-Match", given)]).status, expected, given)
        both = [("If-None-Match", '"x"'), ("If-Modified-Since", fetch(server, "/data.bin").get("Last-Modified"))]
        self.assertEqual(fetch(server, "/data.bin", headers=both).status, 200, "the tag alone counts")
        for given, expected in ((tag, 206), ('"x"', 200)):
            reply = fetch(server, "/data.bin", headers=[("Range", "bytes=0-4"), ("If-Range", given)])
            self.assertEqual(reply.status, 200 if tag.startswith("W/") else expected, given)

    def test_ranges(self):
        data = (server.root / "data.bin").read_bytes()
        size = len(data)
        for text, first, last in (
            ("0-0", 0, 0),
            ("10-19", 10, 19),
            (f"{size - 5}-", size - 5, size - 1),
            ("-7", size - 7, size - 1),
            (f"5-{size * 9}", 5, size - 1),
            (f"-{size * 9}", 0, size - 1),
        ):
            with self.subTest(text):
                reply = fetch(server, "/data.bin", headers=[("Range", "bytes=" + text)])
                self.assertEqual((reply.status, reply.body), (206, data[first : last + 1]))
                self.assertEqual(reply.get("Content-Range"), f"bytes {first}-{last}/{size}")

    def test_ranges_that_are_none(self):
        size = (server.root / "data.bin").stat().st_size
        for text in (f"{size}-", "-0"):
            reply = fetch(server, "/data.bin", headers=[("Range", "bytes=" + text)])
            self.assertEqual((reply.status, reply.get("Content-Range")), (416, f"bytes */{size}"), text)
        for text in (
            "bytes=5-4",
            "bytes=a-b",
            "bytes=",
            "lines=1-2",
            "bytes=99999999999999999999-",
            "bytes=-",
            "bytes=1-2x",
        ):
            self.assertIn(fetch(server, "/data.bin", headers=[("Range", text)]).status, (200, 416), text)


class WaysOut(unittest.TestCase):
    """No path leads to what is not below the root."""

    def refused(self, path):
        with self.subTest(path):
            with Client(server) as client:
                client.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode("latin-1"))
                reply = client.response()
            self.assertIn(reply.status, (400, 403, 404), reply)
            self.assertNotIn(SECRET, reply.text)

    def test_dots(self):
        for up in (
            "..",
            "%2e%2e",
            "%2E%2e",
            ".%2e",
            "%252e%252e",
            "..%2f",
            "%2e%2e%2f",
            "..%5c",
            "..\\",
            "....//",
            "..;",
            "..%00",
            "%c0%ae%c0%ae",
            "%uff0e%uff0e",
            ".. ",
            "..%20",
        ):
            self.refused(f"/{up}/secret")
            self.refused(f"/deep/{up}/{up}/secret")
            self.refused(f"/deep/er/{up}/{up}/{up}/secret")
            self.refused(f"/cgi-bin/{up}/secret")
        self.refused("/../root-beside/secret")
        self.refused("/%2fetc/passwd")
        self.refused(str(server.folder / "secret"))
        self.refused("//" + str(server.folder / "secret"))

    def test_nul_and_other_odd_bytes(self):
        for path in (
            "/index.html%00",
            "/index.html%00.css",
            "/%00",
            "/style.css%",
            "/style.css%2",
            "/style.css%zz",
            "/style%0a.css",
            "/style\x01.css",
        ):
            self.refused(path)

    def test_what_is_no_path(self):
        for target in ("index.html", "*", "../secret", "file:///etc/passwd", "\\index.html"):
            self.refused(target)

    def test_symbolic_links_that_lead_out(self):
        for path in ("/to_file", "/to_folder/secret", "/deep/up/secret", "/to_folder/root/index.html"):
            self.refused(path)

    def test_what_is_no_file(self):
        for path in ("/fifo", "/socket"):
            started = time.monotonic()
            self.refused(path)
            self.assertLess(time.monotonic() - started, 3)

    def test_a_long_name(self):
        self.refused("/" + "n" * 300)
        self.refused("/" + "deep/" * 1000)

    def test_scripts_are_not_shown(self):
        reply = fetch(server, "/cgi-bin/not_executable.sh")
        self.assertIn(reply.status, (403, 404))
        self.assertNotIn("#!", reply.text)


class Slowly(unittest.TestCase):
    def test_a_big_file_costs_no_memory(self):
        """Several clients that read slowly: the server keeps a piece for each, and not the file."""
        with open(server.root / "big", "wb") as big:
            big.truncate(200 << 20)
        before = server.memory()
        clients = [Client(server, receive_buffer=8192) for _ in range(8)]
        for client in clients:
            client.send(message("/big"))
        time.sleep(1)
        self.assertLess(server.memory() - before, memory_for(16 << 20))
        for client in clients[1:]:
            client.reset()
        body = clients[0].response()
        self.assertEqual((len(body.body), body.complete), (200 << 20, True))
        clients[0].close()

    def test_a_file_that_shrinks_meanwhile(self):
        """Its length was promised: the client must be able to tell that it did not come."""
        path = server.root / "shrinks"
        path.write_bytes(b"x" * (40 << 20))
        with Client(server, receive_buffer=8192) as client:
            client.send(message("/shrinks"))
            self.assertEqual(client.head()[1], 200)
            os.truncate(path, 1 << 20)
            self.assertLess(len(client.stream.read(40 << 20)), 40 << 20)
        self.assertEqual(fetch(server, "/index.html").status, 200)

    def test_a_client_that_leaves_costs_nothing(self):
        before = server.descriptors()
        for _ in range(20):
            client = Client(server, receive_buffer=8192)
            client.send(message("/big"))
            client.reset()
        self.assertTrue(eventually(lambda: server.descriptors() == before), server.descriptors() - before)
