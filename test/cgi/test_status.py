# SPDX-License-Identifier: MIT
"""/-/status: what runs, what waits, and for whom. How it looks is for test_browser.py."""
import fcntl
import html.parser
import json
import os
import threading
import time
import unittest

from harness import SLOWNESS, Client, Server, eventually, fetch, message


def setUpModule():
    global server
    server = Server(jobs=4, queue=8, grace=0.5)


def tearDownModule():
    server.close()


def status(of=None):
    reply = fetch(of or server, "/-/status?json")
    assert reply.status == 200 and reply.get("Content-Type") == "application/json", reply
    return json.loads(reply.body)


class WellFormed(html.parser.HTMLParser):
    """Every element that is opened is closed, in order."""

    def __init__(self, text):
        super().__init__()
        self.open = []
        self.words = []
        self.feed(text)
        self.close()
        assert self.open == [], self.open

    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "br", "link", "hr", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (self.open, tag)
        self.open.pop()

    def handle_data(self, data):
        self.words.append(data)


class Status(unittest.TestCase):
    def setUp(self):
        for note in server.notes.iterdir():
            note.unlink()

    def tearDown(self):
        self.assertTrue(eventually(lambda: not server.children()))

    def test_which_form_is_asked_for(self):
        for path, accept, form in (
            ("/-/status", "text/html,*/*;q=0.8", "text/html"),
            ("/-/status", "*/*", "text/html"),
            ("/-/status", "application/json", "application/json"),
            ("/-/status?json", "text/html", "application/json"),
        ):
            reply = fetch(server, path, headers=[("Accept", accept)])
            self.assertEqual((reply.status, reply.get("Content-Type").split(";")[0]), (200, form), (path, accept))
            self.assertEqual(reply.get("Cache-Control"), "no-store")

    def test_counts(self):
        before = status()["counts"]
        fetch(server, "/cgi-bin/hello.sh")
        fetch(server, "/missing")
        fetch(server, "/cgi-bin/nothing.sh")
        after = status()["counts"]
        gained = {name: after[name] - before[name] for name in after if isinstance(after[name], int)}
        wanted = {"requests": 4, "scripts_started": 2, "scripts_without_answer": 1}
        self.assertEqual({name: gained.get(name) for name in wanted}, wanted)
        answers = {name: after["answers"][name] - before["answers"][name] for name in after["answers"]}
        self.assertEqual((answers["4xx"], answers["5xx"]), (1, 1))

    def test_what_runs(self):
        with Client(server) as client:
            client.send(message("/cgi-bin/hang.sh?secret=word"))
            pid = int(server.note("hang"))
            time.sleep(0.3)
            found = status()["scripts"]
            self.assertEqual(
                [(one["pid"], one["script"], one["client"]) for one in found], [(pid, "/cgi-bin/hang.sh", "127.0.0.1")]
            )
            self.assertGreaterEqual(found[0]["age_ms"], 250)
            self.assertEqual((found[0]["waits_for_locks"], found[0]["stopping"]), ([], False))
            page = fetch(server, "/-/status").text
            self.assertIn(str(pid), page)
            self.assertNotIn("secret", page, "a query may have a password in it")
        self.assertTrue(eventually(lambda: status()["scripts"] == []))

    def test_who_waits_for_a_lock_and_who_has_it(self):
        with open(server.notes / "session", "ab") as held, Client(server) as client:
            fcntl.flock(held, fcntl.LOCK_EX)
            client.send(message("/cgi-bin/waits_for_lock.sh"))
            pid = int(server.note("waiter"))
            self.assertTrue(eventually(lambda: status()["scripts"][0]["waits_for_locks"]))
            script = status()["scripts"][0]
            self.assertEqual(script["pid"], pid)
            lock = script["waits_for_locks"][0]
            self.assertEqual((lock["file"], lock["holder_pid"]), (str(server.notes / "session"), os.getpid()))
            self.assertIn("python", lock["holder"])
            self.assertIn("session", script["why"])
            words = " ".join(WellFormed(fetch(server, "/-/status").text).words)
            for text in ("session", str(os.getpid()), "waits_for_lock.sh", str(pid)):
                self.assertIn(text, words)
            fcntl.flock(held, fcntl.LOCK_UN)
            self.assertEqual(client.response().text, "locked\n")

    def test_a_look_holds_nobody_up(self):
        """Scripts wait for locks, many ask for the status: the server answers others as quickly as ever."""
        with open(server.notes / "session", "ab") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            clients = [Client(server) for _ in range(3)]
            for client in clients:
                client.send(message("/cgi-bin/waits_for_lock.sh"))
            self.assertTrue(eventually(lambda: len(status()["scripts"]) == 3))
            time.sleep(0.2)
            done = threading.Event()

            def watch():
                while not done.is_set():
                    self.assertEqual(fetch(server, "/-/status").status, 200)

            watchers = [threading.Thread(target=watch) for _ in range(2)]
            for watcher in watchers:
                watcher.start()
            slowest = 0
            for _ in range(100):
                started = time.monotonic()
                fetch(server, "/index.html")
                slowest = max(slowest, time.monotonic() - started)
            done.set()
            for watcher in watchers:
                watcher.join()
            self.assertLess(slowest, 0.5 * SLOWNESS)
            for client in clients:
                client.close()

    def test_the_queue(self):
        clients = [Client(server) for _ in range(6)]
        for client in clients:
            client.send(message("/cgi-bin/hang.sh"))
        self.assertTrue(eventually(lambda: len(server.children()) >= 4))
        found = status()
        self.assertEqual((len(found["scripts"]), found["running"], found["waiting"]), (4, 4, 2))
        for client in clients:
            client.close()
        self.assertTrue(eventually(lambda: (status()["running"], status()["waiting"]) == (0, 0)))

    def test_a_script_that_is_being_ended(self):
        with Client(server) as client:
            client.send(message("/cgi-bin/stubborn.sh"))
            server.note("stubborn")
            client.reset()
            self.assertTrue(eventually(lambda: any(one["stopping"] for one in status()["scripts"]), 3 * SLOWNESS))

    def test_names_are_text(self):
        """What scripts are called is shown, and not taken for markup."""
        (server.bin / "<b>&'.sh").write_text((server.bin / "hang.sh").read_text())
        (server.bin / "<b>&'.sh").chmod(0o755)
        with Client(server) as client:
            client.send(message("/cgi-bin/%3Cb%3E&'.sh"))
            server.note("hang")
            self.assertIn("/cgi-bin/<b>&'.sh", " ".join(WellFormed(fetch(server, "/-/status").text).words))
            self.assertEqual(status()["scripts"][0]["script"], "/cgi-bin/<b>&'.sh")

    def test_the_page_is_whole(self):
        page = fetch(server, "/-/status").text
        self.assertRegex(page, r"\A<!DOCTYPE html>")
        self.assertIn("CGI", " ".join(WellFormed(page).words))

    def test_nobody_gets_it_by_way_of_a_proxy(self):
        for name in ("Forwarded", "X-Forwarded-For", "Via"):
            self.assertEqual(fetch(server, "/-/status", headers=[(name, "for=192.0.2.1")]).status, 403)

    def test_other_methods_and_paths(self):
        self.assertEqual(fetch(server, "/-/status", "POST", body=b"x").status, 405)
        for path in ("/-/", "/-", "/-/status/", "/-/other"):
            self.assertEqual(fetch(server, path).status, 404, path)
