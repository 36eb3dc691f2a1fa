# SPDX-License-Identifier: MIT
"""Scripts that do not behave: each ends as docs/cgi-server.md says, and the server goes on."""
import hashlib
import os
import signal
import time
import unittest

from harness import PATIENCE, SLOWNESS, Client, Server, alive, eventually, fetch, memory_for, message

TIMEOUT = 1
GRACE = 0.5


def setUpModule():
    global server
    server = Server(jobs=4, timeout=20, grace=GRACE)


def tearDownModule():
    server.close()


class Case(unittest.TestCase):
    def setUp(self):
        self.server = server
        self.forget()

    def forget(self):
        for note in self.server.notes.iterdir():
            note.unlink()

    def tearDown(self):
        """Whatever happened, the server answers, and nothing of the script is left."""
        self.assertEqual(fetch(self.server, "/cgi-bin/hello.sh").text, "hello\n")
        self.assertTrue(eventually(lambda: not self.server.children()), "a child is left")

    def gone(self, name, seconds):
        pid = int(self.server.note(name))
        self.assertTrue(eventually(lambda: not alive(pid), seconds), f"{name} lives on")


class TimeLimit(Case):
    def setUp(self):
        self.server = self.limited
        self.forget()

    @classmethod
    def setUpClass(cls):
        cls.limited = Server(jobs=4, timeout=TIMEOUT, grace=GRACE)

    @classmethod
    def tearDownClass(cls):
        cls.limited.close()

    def timed_out(self, path, *notes):
        started = time.monotonic()
        reply = fetch(self.server, path)
        took = time.monotonic() - started
        self.assertEqual((reply.status, reply.complete), (504, True))
        self.assertGreater(took, TIMEOUT * 0.8)
        self.assertLess(took, TIMEOUT + GRACE + 2 * SLOWNESS)
        for note in notes:
            self.gone(note, GRACE + 2 * SLOWNESS)

    def test_a_script_that_hangs(self):
        self.timed_out("/cgi-bin/hang.sh", "hang")

    def test_a_script_that_hangs_with_children(self):
        self.timed_out("/cgi-bin/tree.sh", "child", "grandchild")

    def test_a_script_that_ignores_sigterm(self):
        self.timed_out("/cgi-bin/stubborn.sh", "stubborn")

    def test_a_script_that_has_stopped(self):
        self.timed_out("/cgi-bin/stopped.sh", "stopped")

    def test_a_script_that_hangs_in_its_answer(self):
        """The status has gone out. All that can be done is to let the client see that it is not all."""
        with Client(self.server) as client:
            reply = client.request("/cgi-bin/hang_body.sh")
            self.assertEqual((reply.status, reply.text, reply.complete), (200, "first\n", False))
        self.gone("hang_body", GRACE + 2 * SLOWNESS)


class ClientLeaves(Case):
    def left(self, path, *notes, after=None, how="reset"):
        client = Client(self.server)
        client.send(message(path))
        if after:
            self.assertEqual(client.head()[1], 200)
            self.assertEqual(client.chunk(), after)
        for note in notes:
            self.server.note(note)
        started = time.monotonic()
        getattr(client, how)()
        for note in notes:
            self.gone(note, GRACE + 2 * SLOWNESS)
        self.assertLess(time.monotonic() - started, GRACE + 4 * SLOWNESS, "it was not the time limit that ended it")

    def test_a_script_that_has_sent_the_request_on(self):
        """It is not what the client waits for, and nobody else would end it."""
        with Client(self.server) as client:
            client.send(message("/cgi-bin/sends_on.sh"))
            self.gone("sends_on", 0.1 + GRACE + 2 * SLOWNESS)
            self.assertEqual(client.response().text, "slow\n")

    def test_a_script_that_would_go_on(self):
        self.left("/cgi-bin/hang.sh", "hang")
        self.forget()
        self.left("/cgi-bin/hang.sh", "hang", how="close")

    def test_a_script_in_its_answer(self):
        self.left("/cgi-bin/hang_body.sh", "hang_body", after=b"first\n", how="close")

    def test_a_whole_tree(self):
        self.left("/cgi-bin/tree.sh", "child", "grandchild")

    def test_a_stubborn_one(self):
        self.left("/cgi-bin/stubborn.sh", "stubborn")

    def test_in_the_middle_of_its_body(self):
        client = Client(self.server)
        client.send(message("/cgi-bin/echo.sh", "POST", [("Content-Length", "100000")]) + b"x" * 1000)
        self.assertEqual(client.head()[1], 200)
        self.assertEqual(len(self.server.children()), 1)
        client.close()
        self.assertTrue(eventually(lambda: not self.server.children(), GRACE + 1 * SLOWNESS))


class Leftovers(Case):
    def test_what_is_left_in_the_group_is_ended(self):
        started = time.monotonic()
        self.assertEqual(fetch(self.server, "/cgi-bin/leaves.sh").text, "answered\n")
        self.assertLess(time.monotonic() - started, 1 * SLOWNESS, "and it keeps nobody waiting")
        self.gone("leaves", 2 * SLOWNESS)

    def daemon_left_by(self, script):
        """The answer ends regularly after the drain time, however long the daemon lives."""
        started = time.monotonic()
        reply = fetch(self.server, f"/cgi-bin/{script}")
        self.assertEqual((reply.status, reply.text, reply.complete), (200, "answered\n", True))
        self.assertLess(time.monotonic() - started, 1 + 1 * SLOWNESS)
        self.assertTrue(eventually(lambda: not self.server.children()))
        daemon = int(self.server.note("daemon"))
        if alive(daemon):
            os.kill(daemon, signal.SIGKILL)

    def test_a_daemon_that_holds_the_output(self):
        self.daemon_left_by("daemon.sh")
        self.assertIn("daemon.sh", self.server.log())

    def test_a_daemon_that_holds_the_log(self):
        self.daemon_left_by("daemon_log.sh")

    def test_a_daemon_that_is_to_be_ended_too(self):
        with Server(whole_tree=True) as thorough:
            self.assertEqual(fetch(thorough, "/cgi-bin/daemon.sh").text, "answered\n")
            daemon = int(thorough.note("daemon"))
            self.assertTrue(eventually(lambda: not alive(daemon), 5 * SLOWNESS))


class Deaths(Case):
    def test_before_the_answer(self):
        reply = fetch(self.server, "/cgi-bin/die.sh")
        self.assertEqual((reply.status, reply.complete), (502, True))
        self.assertTrue(
            eventually(lambda: "SIGSEGV" in self.server.log() or "signal 11" in self.server.log()),
            self.server.log()[-500:],
        )

    def test_in_the_answer(self):
        reply = fetch(self.server, "/cgi-bin/die.sh?body")
        self.assertEqual((reply.status, reply.text, reply.complete), (200, "part of it\n", False))

    def test_without_an_answer(self):
        for script in ("nothing", "half"):
            reply = fetch(self.server, f"/cgi-bin/{script}.sh")
            self.assertEqual((reply.status, reply.complete), (502, True), script)


class Floods(Case):
    def test_of_the_answer(self):
        with Client(self.server) as client:
            client.send(message("/cgi-bin/flood.sh"))
            client.head()
            total = 0
            while total < 50_000_000:
                total += len(client.chunk())
        self.gone("flood", GRACE + 2 * SLOWNESS)

    def test_of_the_head(self):
        for script in ("flood_head", "flood_line"):
            before = self.server.memory()
            reply = fetch(self.server, f"/cgi-bin/{script}.sh")
            self.assertEqual((reply.status, reply.complete), (502, True), script)
            self.assertLess(self.server.memory() - before, memory_for(8 << 20))

    def test_of_the_log(self):
        """The script goes on, the log stays small."""
        before = self.server.log_path.stat().st_size
        reply = fetch(self.server, "/cgi-bin/flood_log.sh")
        self.assertEqual(reply.text, "after the flood\n")
        self.assertLess(self.server.log_path.stat().st_size - before, 1 << 20)

    def test_of_short_lines(self):
        before = self.server.log_path.stat().st_size
        self.assertEqual(fetch(self.server, "/cgi-bin/flood_lines.sh").text, "after the flood\n")
        self.assertLess(self.server.log_path.stat().st_size - before, 70 << 10)
        self.assertNotRegex(self.server.log(), r"flood_lines\.sh\[\d+\]: ?\n")


class Bodies(Case):
    def test_a_body_that_is_never_read(self):
        body = b"x" * (4 << 20)
        with Client(self.server) as client:
            try:
                client.send(message("/cgi-bin/ignores_body.sh", "POST", body=body))
            except ConnectionError:
                pass  # the answer has come, and the connection may be closed then
            reply = client.response()
            self.assertEqual((reply.status, reply.text, reply.complete), (200, "never read it\n", True))

    def test_a_body_that_is_never_read_and_not_even_sent(self):
        with Client(self.server) as client:
            client.send(message("/cgi-bin/ignores_body.sh", "POST", [("Content-Length", "100")]))
            self.assertEqual(client.response().text, "never read it\n")

    def test_a_small_body_that_is_never_read_does_not_become_a_request(self):
        with Client(self.server) as client:
            client.send(message("/cgi-bin/ignores_body.sh", "POST", body=message("/cgi-bin/hang.sh")))
            client.send(message("/index.html"))
            self.assertEqual(client.response().text, "never read it\n")
            try:
                self.assertEqual(client.response().text, "<p>index</p>\n")
            except ConnectionError:
                pass

    def test_a_script_that_closes_its_input(self):
        with Client(self.server) as client:
            try:
                client.send(message("/cgi-bin/deaf.sh", "POST", body=b"x" * (4 << 20)))
            except ConnectionError:
                pass
            self.assertEqual(client.response().text, "did not read\n")

    def test_a_script_that_answers_before_it_reads(self):
        body = os.urandom(300_000)
        with Client(self.server) as client:
            client.send(message("/cgi-bin/early.sh", "POST", [("Content-Length", str(len(body)))]) + body[:100_000])
            self.assertEqual(client.head()[1], 200)
            self.assertEqual(client.chunk(), b"early\n")
            client.send(body[100_000:])
            self.assertEqual(client.chunk().decode(), hashlib.sha256(body).hexdigest() + "\n")
            self.assertEqual(client.chunk(), b"")
            self.assertEqual(client.request("/index.html").status, 200)

    def test_a_script_that_closes_its_output_and_works_on(self):
        reply = fetch(self.server, "/cgi-bin/mute.sh")
        self.assertEqual((reply.text, reply.complete), ("closed\n", True))
        self.assertEqual(self.server.note("mute_done"), "done")
        self.gone("mute", 2 * SLOWNESS)

    def test_a_script_that_does_not_read_what_is_more_than_it_wants(self):
        """head ends in the middle of the body: the pipe breaks, and neither the server nor the answer does."""
        (self.server.bin / "some.sh").write_text('#!/bin/sh\nprintf "Content-Type: text/plain\\n\\n"\nhead -c 5\n')
        (self.server.bin / "some.sh").chmod(0o755)
        with Client(self.server) as client:
            try:
                client.send(message("/cgi-bin/some.sh", "POST", body=b"12345" + b"x" * 1_000_000))
            except ConnectionError:
                pass
            self.assertEqual(client.response().text, "12345")
