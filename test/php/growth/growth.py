# SPDX-License-Identifier: MIT
"""
growth.py EXTENSION [TEST...]: a thousand requests by one PHP process, each of which does all that safehold.replace
replaces. Between the two hundredth and the last one the process does not grow: memory, mappings, descriptors, threads,
children. And php-fpm is told to reload meanwhile. Without an extension (-) it shows what stock PHP does.
"""
import glob
import http.client
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "cgi"))

from harness import PATIENCE, eventually, read_bytes  # noqa: E402
from run import Result  # noqa: E402

REQUESTS, SETTLED = 1000, 200
# A leak of each request's would be 800 times as much. The last request leaves a child or two, which the next one reaps.
NOISE = {"memory": 128 << 10, "mappings": 4, "descriptors": 3, "threads": 0, "children": 3, "shared": 3}
RELOADS = 5


def program(name):
    """php-fpm8.2, php-cgi8.2: of the same release as php."""
    release = subprocess.run(
        ["php", "-n", "-r", "echo PHP_MAJOR_VERSION, '.', PHP_MINOR_VERSION;"],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    ).stdout
    path = os.environ["PATH"] + ":/usr/sbin"
    return shutil.which(name + release, path=path) or shutil.which(name, path=path)


def record(kind, content):
    return struct.pack(">BBHHBB", 1, kind, 1, len(content), 0, 0) + content


def parameter(name, value):
    sizes = b"".join(
        bytes([size]) if size < 128 else struct.pack(">I", size | 1 << 31) for size in (len(name), len(value))
    )
    return sizes + name.encode() + value.encode()


def ask_fastcgi(path, script, query):
    """The body of the answer to one request by FastCGI."""
    parameters = {
        "SCRIPT_FILENAME": str(script),
        "QUERY_STRING": query,
        "REQUEST_METHOD": "GET",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "GATEWAY_INTERFACE": "CGI/1.1",
        "SCRIPT_NAME": "/request.php",
        "REDIRECT_STATUS": "200",
    }
    message = record(1, struct.pack(">HB5x", 1, 0)) + record(
        4, b"".join(parameter(*item) for item in parameters.items())
    )
    output = b""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(str(path))
        connection.sendall(message + record(4, b"") + record(5, b""))
        with connection.makefile("rb") as answer:
            while len(head := answer.read(8)) == 8:
                _, kind, _, size, padding, _ = struct.unpack(">BBHHBB", head)
                content = answer.read(size + padding)[:size]
                if kind == 6:
                    output += content
                elif kind == 3:
                    return output.partition(b"\r\n\r\n")[2].decode()
    raise ConnectionError(f"the answer broke off: {output!r}")


def children(pid):
    return [int(word) for task in glob.glob(f"/proc/{pid}/task/*/children") for word in read_bytes(task).split()]


def size(pid):
    """What the process has of everything."""
    return {
        "memory": int(re.search(rb"RssAnon:\s*(\d+)", read_bytes(f"/proc/{pid}/status")).group(1)) << 10,
        "mappings": read_bytes(f"/proc/{pid}/maps").count(b"\n"),
        "descriptors": len(os.listdir(f"/proc/{pid}/fd")),
        "threads": len(os.listdir(f"/proc/{pid}/task")),
        "children": len(children(pid)),
        "shared": sum(entry.stat().st_uid == os.stat(f"/proc/{pid}").st_uid for entry in os.scandir("/dev/shm")),
    }


class Php:
    """A server with a folder of its own: one process answers all the requests. Leaving the context ends it."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="growth-", dir=os.environ.get("SAFEHOLD_TEST_DIR")))
        self.folder.chmod(0o777)
        self.data = self.folder / "data"
        self.data.mkdir()
        self.data.chmod(0o777)
        self.log = self.folder / "log"
        self.options = ["-n", "-d", "memory_limit=64M", "-d", "display_errors=1", "-d", "html_errors=0"]
        if extension:
            self.options += ["-d", f"extension={extension}", "-d", "safehold.replace=all"]
        self.process = None

    def run(self, *command, **environment):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(os.environ, **environment),
                cwd=self.folder,
            )

    def worker(self):
        return self.process.pid

    def request(self, query=""):
        """The pid of the process that has answered."""
        text = self.ask("folder=" + urllib.parse.quote(str(self.data)) + query)
        if not (found := re.fullmatch(r"ok (\d+)", text)):
            raise AssertionError(
                f"a request failed: {text[-2000:]}\nlog: {self.log.read_text(errors='replace')[-2000:]}"
            )
        return int(found.group(1))

    def locks(self):
        held = {line.split()[-3].rpartition(b":")[2] for line in read_bytes("/proc/locks").splitlines()}
        return [path.name for path in self.data.iterdir() if str(path.stat().st_ino).encode() in held]

    def __enter__(self):
        try:
            self.start()
            if not eventually(self.is_there):
                raise AssertionError(f"it did not start: {self.log.read_text()}")
        except BaseException:
            self.end()
            raise
        return self

    def is_there(self):
        return self.process.poll() is None and self.socket.exists()

    def end(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __exit__(self, *_):
        self.end()


class FastCgi(Php):
    def __init__(self):
        super().__init__()
        self.socket = self.folder / "socket"

    def ask(self, query):
        return ask_fastcgi(self.socket, HERE / "request.php", query)


class Cgi(FastCgi):
    name = "php-cgi"

    def start(self):
        self.run(program("php-cgi"), *self.options, "-b", self.socket, PHP_FCGI_MAX_REQUESTS=str(2 * REQUESTS))


class Fpm(FastCgi):
    name = "php-fpm"

    def start(self):
        user = ""
        if os.geteuid() == 0:
            user = f"user = nobody\ngroup = {pwd.getpwnam('nobody').pw_gid}\n"
        (self.folder / "fpm.conf").write_text(
            f"[global]\nprocess_control_timeout = 30\nerror_log = {self.log}\n"
            f"[www]\n{user}listen = {self.socket}\nlisten.mode = 0666\npm = static\npm.max_children = 1\n"
        )
        self.run(program("php-fpm"), *self.options, "-F", "-y", self.folder / "fpm.conf")

    def worker(self):
        return children(self.process.pid)[0]

    def reload(self):
        os.kill(self.process.pid, signal.SIGUSR2)


class BuiltIn(Php):
    name = "php"

    def start(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.run("php", *self.options, "-S", f"127.0.0.1:{self.port}", "-t", HERE)

    def is_there(self):
        with socket.socket() as probe:
            return self.process.poll() is None and probe.connect_ex(("127.0.0.1", self.port)) == 0

    def ask(self, query):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", "/request.php?" + query)
            return connection.getresponse().read().decode()
        finally:
            connection.close()


class Growth(unittest.TestCase):
    def settled(self, server):
        """Its size when what the last request has left behind is gone."""
        self.assertTrue(eventually(lambda: not server.locks()), f"still locked: {server.locks()}")
        return size(server.worker())

    def a_thousand_requests(self, kind):
        if not program(kind.name):
            self.skipTest(f"there is no {kind.name}")
        with kind() as server:
            for _ in range(SETTLED):
                pid = server.request()
            before = self.settled(server)
            began = time.monotonic()
            for _ in range(REQUESTS - SETTLED):
                self.assertEqual(server.request(), pid, "another process has answered")
            per_request = (time.monotonic() - began) / (REQUESTS - SETTLED)
            after = self.settled(server)
            print(
                f"{kind.name}: after {SETTLED} requests {before}, after {REQUESTS} {after},"
                f" {1000 * per_request:.1f} ms each"
            )
            for what, noise in NOISE.items():
                self.assertLessEqual(after[what], before[what] + noise, what)

    def test_php_fpm(self):
        self.a_thousand_requests(Fpm)

    def test_php_cgi(self):
        self.a_thousand_requests(Cgi)

    def test_built_in_server(self):
        self.a_thousand_requests(BuiltIn)


class Reload(unittest.TestCase):
    def test_nothing_is_lost(self):
        """Each reload finds the worker in a request that has its session locked and waits for a command."""
        if not program("php-fpm"):
            self.skipTest("there is no php-fpm")
        with Fpm() as server:
            server.request()
            master = size(server.process.pid)
            for _ in range(RELOADS):
                worker = server.request()
                slow = subprocess.Popen(
                    [sys.executable, "-B", __file__, "--ask", str(server.socket), str(server.data)],
                    stdout=subprocess.PIPE,
                    text=True,
                )
                self.assertTrue(eventually(lambda: "sess_slow" in server.locks()), "the slow request has not begun")
                server.reload()
                self.assertEqual(slow.communicate(timeout=3 * PATIENCE)[0], f"ok {worker}")
                for _ in range(20):
                    self.assertNotEqual(server.request(), worker)
                self.assertTrue(eventually(lambda: not server.locks()))
            self.assertTrue(eventually(lambda: len(children(server.process.pid)) == 1), "workers have stayed behind")
            after = size(server.process.pid)
            print(f"php-fpm's master: before {master}, after {RELOADS} reloads {after}")
            for what in ("descriptors", "threads", "children"):
                self.assertEqual(after[what], master[what], what)


def main():
    global extension
    if sys.argv[1] == "--ask":
        sys.stdout.write(
            ask_fastcgi(sys.argv[2], HERE / "request.php", f"slow=1&folder={urllib.parse.quote(sys.argv[3])}")
        )
        return 0
    extension = None if sys.argv[1] == "-" else pathlib.Path(sys.argv[1]).resolve()
    suite = unittest.defaultTestLoader.loadTestsFromNames([f"__main__.{name}" for name in sys.argv[2:]] or ["__main__"])
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Result).run(suite)
    passed = result.testsRun - len(result.skipped) - len(result.failures) - len(result.errors)
    print(f"run_test: php.growth: {passed} passed, {len(result.skipped)} skipped")
    return 0 if result.wasSuccessful() and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
