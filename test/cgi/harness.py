# SPDX-License-Identifier: MIT
"""What the tests of the CGI server share: a server of their own, a client that sees every byte, and a look at /proc."""
import collections
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
SLOWNESS = float(os.environ.get("SAFEHOLD_TEST_SLOWNESS", "1"))
PATIENCE = 10 * SLOWNESS  # seconds for what should come at once
SANITIZER = re.compile(r"ERROR: \w+Sanitizer|runtime error:|WARNING: ThreadSanitizer")


def program():
    return os.environ["SAFEHOLD_CGI_SERVER"]


def is_sanitized():
    with open(program(), "rb") as file:
        return re.search(rb"__[at]san_init", file.read()) is not None


def memory_for(size):
    """What a server may grow by that keeps no more than size; a sanitizer keeps some of what was freed, too."""
    return size + (64 << 20 if is_sanitized() else 0)


def eventually(what, seconds=PATIENCE):
    """Whether what() becomes true in time."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def read_bytes(path):
    """A file of /proc, which may be gone by the time one looks: then nothing."""
    try:
        return pathlib.Path(path).read_bytes()
    except OSError:
        return b""


def some(items):
    """How many there are, and the first three of them."""
    return f"{len(items)}: {items[:3]}"


def alive(pid):
    """Whether a process is there and is no zombie."""
    status = read_bytes(f"/proc/{pid}/stat")
    return status != b"" and status.rpartition(b")")[2].split()[0] not in (b"Z", b"X")


class Server:
    """
    A server with folders of its own. Leaving the context ends it, and fails when it has left anything behind: a
    descriptor, a child, a temporary file, a process that a script started, or a sanitizer's report in its log.
    Options are the command's: jobs=2 is --jobs 2. inherited: a descriptor that it is started with. prefix: a command
    that starts it.
    """

    def __init__(self, inherited=None, prefix=(), **options):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cgi-", dir=os.environ.get("SAFEHOLD_TEST_DIR")))
        self.root = self.folder / "root"
        self.bin = self.folder / "cgi-bin"
        self.notes = self.folder / "notes"  # where scripts leave word
        self.temporary = self.folder / "tmp"
        for folder in (self.root, self.notes, self.temporary):
            folder.mkdir()
        shutil.copytree(HERE / "scripts", self.bin)
        (self.root / "index.html").write_text("<p>index</p>\n")
        self.options = options
        self.prefix = list(prefix)
        self.inherited = () if inherited is None else (inherited,)
        self.log_path = self.folder / "log"
        self.start()

    def start(self):
        arguments = self.prefix + [
            program(),
            "--root",
            self.root,
            "--cgi-bin",
            self.bin,
            "--host",
            "127.0.0.1",
            "--port",
            "0",
        ]
        for name, value in self.options.items():
            arguments += ["--" + name.replace("_", "-")] + ([] if value is True else [str(value)])
        environment = dict(os.environ, TMPDIR=str(self.temporary), SAFEHOLD_CGI_TEST="of the server's own")
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                cwd=self.folder,
                pass_fds=self.inherited,
            )
        self.pid = self.process.pid
        pattern = re.compile(r"listening on http://127\.0\.0\.1:(\d+)/")
        if not eventually(lambda: pattern.search(self.log()) or self.process.poll() is not None):
            self.process.kill()
        found = pattern.search(self.log())
        if not found:
            raise AssertionError(f"the server did not start: {self.log()}")
        self.port = int(found.group(1))
        try:
            self.warm_up()
        except BaseException:
            self.discard()
            raise

    def warm_up(self):
        """What it makes at the first request of each kind, and keeps, is no leak."""
        for path in ("/cgi-bin/hello.sh", "/index.html", "/-/status"):
            fetch(self, path)
        fetch(self, "/cgi-bin/sum.sh", "POST", body=b"x")
        if not eventually(lambda: not self.children()):
            raise AssertionError("the first script did not go")
        time.sleep(0.1)
        self.descriptors_before = self.descriptors()

    def log(self):
        return self.log_path.read_text(errors="replace")

    def children(self):
        """Its child processes, zombies included."""
        found = []
        for task in pathlib.Path(f"/proc/{self.pid}/task").glob("*/children"):
            found += [int(pid) for pid in read_bytes(task).split()]
        return found

    def descriptors(self):
        """How many it has of each kind."""
        kinds = collections.Counter()
        try:
            names = os.listdir(f"/proc/{self.pid}/fd")
        except OSError:
            names = []
        for name in names:
            try:
                kind = re.sub(r"\d+", "N", os.readlink(f"/proc/{self.pid}/fd/{name}"))
                # What a loop of libuv keeps for want of descriptors is /dev/null at first (1.50), and / later.
                kinds["/dev/null" if kind == "/" else kind] += 1
            except OSError:
                pass
        return kinds

    def scripts(self):
        """Every process that has this server's folder in its environment, as its scripts and what they start have."""
        mark = str(self.bin).encode()
        return [
            int(entry)
            for entry in os.listdir("/proc")
            if entry.isdigit() and mark in read_bytes(f"/proc/{entry}/environ") and alive(entry)
        ]

    def memory(self):
        """Bytes that it has resident."""
        return int(re.search(rb"VmRSS:\s+(\d+)", read_bytes(f"/proc/{self.pid}/status")).group(1)) * 1024

    def note(self, name, seconds=PATIENCE):
        """What a script left in the note of that name: waits until it is there."""
        path = self.notes / name
        if not eventually(lambda: path.exists() and path.stat().st_size > 0, seconds):
            raise AssertionError(f"no script left a note called {name}: {self.log()}")
        return path.read_text().strip()

    def faults(self):
        """What is left that should not be, as sentences."""
        clean = lambda: not self.children() and self.descriptors() == self.descriptors_before and not self.scripts()
        found = []
        if self.process.poll() is not None:
            found.append(f"it has ended by itself with {self.process.returncode}")
        elif not eventually(clean, 5 * SLOWNESS):
            if self.children():
                found.append(
                    f"children are left, {some([read_bytes(f'/proc/{pid}/stat')[:60] for pid in self.children()])}"
                )
            if self.descriptors() != self.descriptors_before:
                more = self.descriptors() - self.descriptors_before
                fewer = self.descriptors_before - self.descriptors()
                found.append(f"descriptors are left: {dict(more)}, and missing: {dict(fewer)}")
            if self.scripts():
                found.append(
                    f"scripts are left, {some([read_bytes(f'/proc/{pid}/cmdline') for pid in self.scripts()])}"
                )
        left = list(self.temporary.iterdir())
        if left:
            found.append(f"temporary files are left, {some(left)}")
        return found

    def terminate(self, seconds=PATIENCE):
        """Asks it to end, and returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def discard(self):
        """For a test that ends the server itself: whatever is left of it goes, without a look."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pid in self.scripts():
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def close(self):
        faults = self.faults()
        if self.process.poll() is None:
            try:
                code = self.terminate()
                if code != 0:
                    faults.append(f"its exit code after SIGTERM is {code}")
            except subprocess.TimeoutExpired:
                faults.append("it does not end on SIGTERM")
                self.process.kill()
                self.process.wait()
        log = self.log()
        if SANITIZER.search(log):
            faults.append("a sanitizer has reported")
        self.discard()
        if faults:
            raise AssertionError("; ".join(faults) + "\nthe end of its log:\n" + log[-3000:])

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            self.close()
            return
        try:
            self.close()
        except AssertionError as second:
            error.args = (f"{error.args[0] if error.args else error}\nand the server: {second}",)


Response = collections.namedtuple("Response", "version status reason headers body complete interim")


class Reply(Response):
    """A response. complete: it ended as its head had said."""

    def get(self, name):
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return values[0] if values else None

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")


class Client:
    """A connection. It is strict: what is not a response as RFC 9112 has it is an AssertionError."""

    def __init__(self, server, timeout=PATIENCE, receive_buffer=None, send_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:  # before connecting, as the window is negotiated then
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if send_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect(("127.0.0.1", server.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.stream.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def reset(self):
        """Leaves as a client does that has crashed."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close()

    def line(self):
        line = self.stream.readline(65537)
        if not line.endswith(b"\r\n"):
            raise ConnectionError(f"the connection ended in a line: {line!r}")
        return line[:-2]

    def head(self):
        """A status line and its headers."""
        match = re.fullmatch(rb"(HTTP/1\.[01]) (\d\d\d) ?([\t -~\x80-\xff]*)", line := self.line())
        assert match, f"no status line: {line!r}"
        headers = []
        while line := self.line():
            match_header = re.fullmatch(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t -~\x80-\xff]*?)[ \t]*", line)
            assert match_header, f"no header: {line!r}"
            headers.append((match_header.group(1).decode(), match_header.group(2).decode("latin-1")))
        return match.group(1).decode(), int(match.group(2)), match.group(3).decode("latin-1"), headers

    def chunk(self):
        """One chunk; b"" for the last, whose trailers have been read."""
        line = self.line()
        assert re.fullmatch(rb"[0-9A-Fa-f]+", line), f"no size of a chunk: {line!r}"
        size = int(line, 16)
        data = self.stream.read(size) if size else b""
        if len(data) != size:
            raise ConnectionError("the connection ended in a chunk")
        if size == 0:
            while self.line():
                pass
        else:
            assert self.line() == b"", "a chunk does not end where it should"
        return data

    def response(self, method="GET"):
        interim = []
        version, status, reason, headers = self.head()
        while 100 <= status < 200:
            interim.append(status)
            version, status, reason, headers = self.head()
        reply = Reply(version, status, reason, headers, b"", True, interim)
        lengths = reply.all("Content-Length")
        codings = reply.all("Transfer-Encoding")
        assert len(lengths) + len(codings) <= 1, f"how long is it? {headers}"
        if method == "HEAD" or status in (204, 304):
            return reply
        if codings:
            assert codings == ["chunked"] and version == "HTTP/1.1", codings
            pieces = []
            try:
                while piece := self.chunk():
                    pieces.append(piece)
            except (ConnectionError, TimeoutError):
                return reply._replace(body=b"".join(pieces), complete=False)
            return reply._replace(body=b"".join(pieces))
        if lengths:
            assert re.fullmatch(r"\d+", lengths[0]), lengths
            body = self.stream.read(int(lengths[0]))
            return reply._replace(body=body, complete=len(body) == int(lengths[0]))
        try:
            return reply._replace(body=self.stream.read())
        except ConnectionError:
            return reply._replace(complete=False)

    def request(self, path, method="GET", headers=(), body=None, version="1.1", host="localhost"):
        """One request, whose body is sent with its length, and the response."""
        self.send(message(path, method, headers, body, version, host))
        return self.response(method)

    def ended(self):
        """Whether the server closes the connection, with nothing more in it."""
        try:
            rest = self.stream.read(1)
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False
        assert rest == b"", f"more came: {rest!r}"
        return True


def message(path, method="GET", headers=(), body=None, version="1.1", host="localhost"):
    lines = [f"{method} {path} HTTP/{version}"]
    if host is not None:
        lines.append(f"Host: {host}")
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


def chunked(*pieces):
    """A body in chunks, with its end."""
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces if piece) + b"0\r\n\r\n"


def fetch(server, path, method="GET", headers=(), body=None, **how):
    """One request on a connection of its own."""
    with Client(server) as client:
        return client.request(path, method, headers, body, **how)


def saying(answer):
    """The path of a script that answers with exactly these bytes."""
    return "/cgi-bin/say.py?" + answer.hex()
