# SPDX-License-Identifier: MIT
"""How many scripts run and wait, for how long, with how much memory, and how the server itself ends."""
import os
import re
import signal
import socket
import subprocess
import threading
import time
import unittest

from harness import PATIENCE, SLOWNESS, Client, Server, alive, chunked, eventually, fetch, message, program


def gather(server, paths):
    """Asks for all of them at once; the replies in their order."""
    replies = [None] * len(paths)

    def ask(index, path):
        replies[index] = fetch(server, path)

    threads = [threading.Thread(target=ask, args=pair) for pair in enumerate(paths)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return replies


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Jobs(unittest.TestCase):
    def test_what_is_too_much_waits_and_what_is_far_too_much_is_sent_away(self):
        with Server(jobs=2, queue=3) as server:
            holders = [Client(server) for _ in range(2)]
            for client in holders:
                client.send(message("/cgi-bin/slow.sh?1.5"))
            self.assertTrue(eventually(lambda: len(server.children()) == 2))
            waiting = [Client(server) for _ in range(3)]
            for client in waiting:
                client.send(message("/cgi-bin/hello.sh"))
            time.sleep(0.3)
            self.assertEqual(len(server.children()), 2)
            started = time.monotonic()
            for _ in range(5):
                reply = fetch(server, "/cgi-bin/hello.sh")
                self.assertEqual((reply.status, reply.complete), (503, True))
                self.assertRegex(reply.get("Retry-After"), r"^[1-9]\d*$")
            self.assertLess(time.monotonic() - started, 1 * SLOWNESS, "a refusal does not wait")
            self.assertEqual(fetch(server, "/index.html").status, 200, "a file needs no place")
            self.assertEqual(fetch(server, "/-/status").status, 200, "nor does the status")
            for client in waiting + holders:
                self.assertEqual(client.response().status, 200)
                client.close()
            self.assertEqual(fetch(server, "/cgi-bin/hello.sh").status, 200)

    def test_never_more_at_once_than_allowed(self):
        with Server(jobs=3, queue=100) as server:
            most = 0
            done = threading.Event()

            def watch():
                nonlocal most
                while not done.is_set():
                    most = max(most, len([pid for pid in server.children() if alive(pid)]))

            watcher = threading.Thread(target=watch)
            watcher.start()
            replies = gather(server, ["/cgi-bin/slow.sh?0.1"] * 30)
            done.set()
            watcher.join()
            self.assertEqual({reply.status for reply in replies}, {200})
            self.assertEqual(most, 3)

    def test_who_leaves_the_queue_starts_nothing(self):
        with Server(jobs=1, queue=2) as server:
            with Client(server) as holder:
                holder.send(message("/cgi-bin/slow.sh?1"))
                self.assertTrue(eventually(lambda: server.children()))
                for _ in range(6):  # each makes place for the next
                    client = Client(server)
                    client.send(message("/cgi-bin/hang.sh"))
                    time.sleep(0.05)
                    client.reset()
                    time.sleep(0.05)
                self.assertEqual(holder.response().status, 200)
            self.assertEqual(fetch(server, "/cgi-bin/hello.sh").status, 200)
            self.assertFalse((server.notes / "hang").exists())

    def test_the_time_in_the_queue_counts(self):
        with Server(jobs=1, queue=2, timeout=1, grace=1) as server:
            with Client(server) as holder:
                holder.send(message("/cgi-bin/stubborn.sh"))
                server.note("stubborn")
                started = time.monotonic()
                reply = fetch(server, "/cgi-bin/hello.sh")
                self.assertIn(reply.status, (503, 504))
                self.assertLess(time.monotonic() - started, 1 + 1 * SLOWNESS)
                self.assertEqual(holder.response().status, 504)


class Connections(unittest.TestCase):
    def test_many_clients_that_say_nothing(self):
        with Server(client_timeout=3, keep_alive=3) as server:
            idle = [Client(server) for _ in range(300)]
            for client in idle[::2]:
                client.send(b"GET /index.html HTTP/1.1\r\nHo")
            started = time.monotonic()
            self.assertEqual(fetch(server, "/cgi-bin/hello.sh").text, "hello\n")
            self.assertLess(time.monotonic() - started, 2 * SLOWNESS)
            for client in idle[1::2]:
                self.assertTrue(client.ended())
            for client in idle:
                client.close()

    def test_more_clients_than_descriptors(self):
        """Those who are too many are turned away or wait; the server neither spins nor loses its way."""
        with Server(prefix=["prlimit", "--nofile=64:64"], jobs=2) as server:
            clients = [Client(server, timeout=0.2) for _ in range(120)]
            time.sleep(0.3)
            before = os.times().elapsed, processor_seconds(server.pid)
            time.sleep(1)
            used = processor_seconds(server.pid) - before[1]
            self.assertLess(used, 0.5 * (os.times().elapsed - before[0]))
            for client in clients:
                client.close()
            self.assertTrue(eventually(lambda: self.served(server)), "it has places again")
            for _ in range(10):
                self.assertEqual(fetch(server, "/cgi-bin/hello.sh").text, "hello\n")

    def served(self, server):
        try:
            return fetch(server, "/index.html").status == 200
        except ConnectionError:
            return False


class Memory(unittest.TestCase):
    def test_a_script_gets_no_more_than_allowed(self):
        with Server(jobs=2, memory="128M") as server:
            self.assertEqual(fetch(server, "/cgi-bin/memory.py?16").text, "got them\n")
            self.assertEqual(fetch(server, "/cgi-bin/memory.py?512").status, 502)
            self.assertTrue(eventually(lambda: "MemoryError" in server.log()))

    def test_without_a_limit_it_gets_more(self):
        with Server(jobs=2) as server:
            self.assertEqual(fetch(server, "/cgi-bin/memory.py?512").text, "got them\n")


class Output(unittest.TestCase):
    def test_a_script_may_write_no_more_than_allowed(self):
        with Server(jobs=2, max_output="1M") as server:
            with Client(server) as client:
                client.send(message("/cgi-bin/flood.sh"))
                reply = client.response()
            self.assertFalse(reply.complete)
            self.assertLess(abs(len(reply.body) - (1 << 20)), 1 << 17)
            self.assertTrue(eventually(lambda: not server.children()))


class Room(unittest.TestCase):
    def test_no_room_for_a_body(self):
        """A chunked body is gathered in a file before the script starts, as CONTENT_LENGTH has to be known."""
        with Server(jobs=2, prefix=["env", "TMPDIR=/no/such/folder"]) as server, Client(server) as client:
            client.send(message("/cgi-bin/sum.sh", "POST", [("Transfer-Encoding", "chunked")]))
            try:
                client.send(chunked(*[b"x" * 65536] * 32))
            except ConnectionError:
                pass
            self.assertEqual(client.response().status, 507)
            self.assertEqual(fetch(server, "/cgi-bin/sum.sh", "POST", body=b"x" * (1 << 20)).status, 200)

    def test_a_body_in_a_file_is_gone_with_its_request(self):
        with Server(jobs=1) as server:
            with Client(server) as holder, Client(server) as client:
                holder.send(message("/cgi-bin/slow.sh?1"))
                client.send(message("/cgi-bin/sum.sh", "POST", [("Transfer-Encoding", "chunked")]))
                client.send(chunked(*[b"x" * 65536] * 32)[:-5])
                self.assertTrue(eventually(lambda: any("deleted" in name for name in server.descriptors())))
                client.reset()
                self.assertTrue(eventually(lambda: not any("deleted" in name for name in server.descriptors())))
                self.assertEqual(holder.response().status, 200)


class Ends(unittest.TestCase):
    def refuses(self, server):
        with socket.socket() as attempt:
            return attempt.connect_ex(("127.0.0.1", server.port)) != 0

    def test_what_runs_is_finished(self):
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            server = Server(jobs=2)
            self.addCleanup(server.discard)
            with Client(server) as busy, Client(server) as idle:
                idle.request("/index.html")
                busy.send(message("/cgi-bin/slow.sh?1"))
                self.assertTrue(eventually(lambda: server.children()))
                server.process.send_signal(signal_number)
                self.assertTrue(eventually(lambda: self.refuses(server)))
                self.assertTrue(idle.ended(), "a connection that waits for nothing is closed")
                reply = busy.response()
                self.assertEqual((reply.text, reply.complete), ("slow\n", True))
                self.assertTrue(busy.ended())
            self.assertEqual(server.process.wait(PATIENCE), 0, server.log())
            self.assertEqual(server.scripts(), [])

    def test_what_does_not_finish_is_ended(self):
        server = Server(jobs=4, timeout=60, shutdown=1)
        self.addCleanup(server.discard)
        with Client(server) as first, Client(server) as second, Client(server) as third:
            first.send(message("/cgi-bin/stubborn.sh"))
            second.send(message("/cgi-bin/tree.sh"))
            third.send(b"GET /index.html HT")
            pids = [int(server.note(name)) for name in ("stubborn", "child", "grandchild")]
            self.assertEqual(server.terminate(1 + 2 + 2 * SLOWNESS), 0)
            self.assertTrue(eventually(lambda: not any(map(alive, pids)), 2))

    def test_a_second_signal_ends_it_at_once(self):
        server = Server(jobs=4, timeout=60)
        self.addCleanup(server.discard)
        with Client(server) as client:
            client.send(message("/cgi-bin/tree.sh"))
            pids = [int(server.note(name)) for name in ("child", "grandchild")]
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            started = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            server.process.wait(PATIENCE)
            self.assertLess(time.monotonic() - started, 3 * SLOWNESS)
            self.assertTrue(eventually(lambda: not any(map(alive, pids)), 2), "and leaves no script")

    def test_a_second_signal_ends_what_is_being_stopped(self):
        server = Server(jobs=4, timeout=1, grace=25)
        self.addCleanup(server.discard)
        with Client(server) as client:
            client.send(message("/cgi-bin/stubborn.sh"))
            stubborn = int(server.note("stubborn"))
            self.assertEqual(client.response().status, 504)
            self.assertTrue(alive(stubborn), "it has its grace yet")
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(server.process.wait(PATIENCE), 0)
            self.assertTrue(eventually(lambda: not alive(stubborn), 2))

    def test_a_log_that_nobody_reads_holds_nothing_up(self):
        server = Server(jobs=2)
        self.addCleanup(server.discard)
        server.terminate()
        command = [program(), "--cgi-bin", server.bin, "--port", str(server.port)]
        server.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        server.pid = server.process.pid
        self.assertIn(b"listening on", server.process.stderr.readline())
        for _ in range(4):  # 256 KiB, of which a pipe takes 64
            self.assertEqual(fetch(server, "/cgi-bin/flood_log.sh").status, 200)
        os.read(server.process.stderr.fileno(), 1 << 20)
        self.assertEqual(fetch(server, "/cgi-bin/fail.sh").status, 200)
        self.assertRegex(os.read(server.process.stderr.fileno(), 1 << 20), rb" \d+ lines are missing here")
        for _ in range(4):
            self.assertEqual(fetch(server, "/cgi-bin/flood_log.sh").status, 200)
        self.assertEqual(server.terminate(), 0, "it hears a signal, too")
        server.process.stderr.close()

    def test_a_port_can_be_used_again_at_once(self):
        server = Server(jobs=1)
        self.addCleanup(server.discard)
        with Client(server) as client:
            client.request("/index.html")
            self.assertEqual(server.terminate(), 0)
        command = [program(), "--root", server.root, "--cgi-bin", server.bin, "--port", str(server.port)]
        with open(server.log_path, "ab") as log:
            server.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        server.pid = server.process.pid
        self.assertTrue(eventually(lambda: server.log().count("listening on") == 2), server.log())
        self.assertEqual(server.terminate(), 0)

    def test_a_server_that_is_killed_leaves_its_port_and_no_lock_on_it(self):
        server = Server(jobs=1)
        self.addCleanup(server.discard)
        with Client(server) as client:
            client.send(message("/cgi-bin/hang.sh"))
            hang = int(server.note("hang"))
            server.process.kill()
            server.process.wait()
            self.assertTrue(self.refuses(server), "a script has the listening socket")
            self.assertTrue(client.ended(), "a script has the connection")
        if alive(hang):
            os.kill(hang, signal.SIGKILL)


class Options(unittest.TestCase):
    def run_with(self, *arguments):
        return subprocess.run(
            [program(), *arguments], capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL
        )

    def test_help(self):
        result = self.run_with("--help")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        for option in (
            "--root",
            "--cgi-bin",
            "--host",
            "--port",
            "--jobs",
            "--queue",
            "--timeout",
            "--memory",
            "--help",
        ):
            self.assertIn(option, result.stdout)

    def test_what_it_cannot_do(self):
        for arguments in (
            ["--port", "x"],
            ["--port", "70000"],
            ["--port", "-1"],
            ["--jobs", "0"],
            ["--jobs", "many"],
            ["--timeout", "soon"],
            ["--memory", "1X"],
            ["--root", "/no/such/folder"],
            ["--cgi-bin", "/no/such/folder"],
            ["--cgi-bin", "/etc/hostname"],
            ["--host", "no such host"],
            ["--host", "192.0.2.1"],
            ["--unknown"],
            ["surplus"],
        ):
            with self.subTest(arguments):
                result = self.run_with("--port", "0", "--root", "/tmp", *arguments)
                self.assertEqual(result.returncode, 1 if "--host" in arguments else 2)
                message_lines = [line for line in result.stderr.splitlines() if line]
                self.assertTrue(message_lines)
                self.assertLessEqual(len(message_lines), 3)

    def test_a_port_that_somebody_else_has(self):
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            result = self.run_with("--host", "127.0.0.1", "--port", str(other.getsockname()[1]), "--root", "/tmp")
            self.assertEqual(result.returncode, 1)
            self.assertRegex(result.stderr, "(?i)address.*in use")

    def test_it_listens_where_it_is_told_to(self):
        with Server(jobs=1) as server:
            with open(f"/proc/{server.pid}/net/tcp") as table:
                found = re.findall(r": ([0-9A-F]+):%04X 00000000:0000 0A" % server.port, table.read())
            self.assertEqual(set(found), {"0100007F"})
