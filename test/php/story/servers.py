# SPDX-License-Identifier: MIT
"""
The application of app/ behind two web servers: nginx with php-fpm, and the CGI server of the examples with php-cgi.
Each has a folder of its own, and takes everything with it that it or the application has started.
"""
import ctypes
import http.client
import os
import pathlib
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "cgi"))

from harness import PATIENCE, alive, eventually, read_bytes  # noqa: E402

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
libc = ctypes.CDLL(None)


def adopt_orphans():
    """Daemons become children of this process, and so none of them gets lost."""
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_with_me():
    """A server is not left behind by a test that is killed."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def children(pid):
    return [
        int(child)
        for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children")
        for child in read_bytes(task).split()
    ]


def descendants(pid):
    found = children(pid)
    for child in found:
        found = found + descendants(child)
    return found


def name(pid):
    return read_bytes(f"/proc/{pid}/comm").decode().strip()


def files(pid):
    """What it has open: number and file."""
    found = {}
    try:
        for number in os.listdir(f"/proc/{pid}/fd"):
            found[int(number)] = os.readlink(f"/proc/{pid}/fd/{number}")
    except OSError:
        pass
    return found


def program(*names):
    """The first of these programs that there is."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
    return next((found for found in (shutil.which(one, path=path) for one in names) if found), None)


def php_release():
    """That of the PHP that the extension was built for: 8.2."""
    command = ["php", "-n", "-r", "echo PHP_MAJOR_VERSION, '.', PHP_MINOR_VERSION;"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE).stdout


def free_port():
    while True:
        port = random.randrange(20001, 60000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


class Server:
    """module: the extension, all of whose replacements are on; None: stock PHP, and all else is the same."""

    def __init__(self, module, **settings):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="safehold-php-"))
        self.folder.chmod(0o755)
        self.processes = []
        self.counter = self.folder / "data" / "counter"
        shutil.copytree(HERE / "app", self.folder / "app")
        for writable in ("data", "sessions", "log"):
            (self.folder / writable).mkdir()
            (self.folder / writable).chmod(0o777)
        lines = [
            f"session.save_path = {self.folder}/sessions",
            "session.gc_probability = 0",
            "display_errors = 0",
            "html_errors = 0",
            "log_errors = 1",
            f"error_log = {self.folder}/log/php",
        ]
        if module:
            lines += [f"extension = {module}", "safehold.replace = all"]
            lines += [f"safehold.{key} = {value}" for key, value in settings.items()]
        (self.folder / "php.ini").write_text("\n".join(lines) + "\n")
        # PHP reads this folder's php.ini and none of the machine's.
        self.environment = dict(os.environ, PHPRC=str(self.folder), PHP_INI_SCAN_DIR="")
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    def run(self, *command):
        with open(self.folder / "log" / "server", "ab") as log:
            process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
                cwd=self.folder,
                preexec_fn=end_with_me,
            )
        self.processes.append(process)
        return process

    def wait_until(self, what, subject):
        if not eventually(lambda: what() or self.processes[-1].poll() is not None) or not what():
            raise AssertionError(f"{subject} did not start: {self.log()}")

    def log(self):
        return "".join(path.read_text(errors="replace") for path in sorted((self.folder / "log").iterdir()))

    def daemons(self):
        """What the application has started in the background."""
        return [pid for pid in descendants(os.getpid()) if name(pid) == "sleep" and alive(pid)]

    def holders(self, path):
        """Whoever has the file open, and a lock on it: by the list in /proc/PID/fdinfo."""
        found = []
        for pid in descendants(os.getpid()):
            for number, file in files(pid).items():
                if file == str(path) and b"lock:" in read_bytes(f"/proc/{pid}/fdinfo/{number}"):
                    found.append(pid)
        return found

    def end_daemons(self):
        for pid in self.daemons():
            os.kill(pid, signal.SIGKILL)

    def close(self):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        while left := descendants(os.getpid()):
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
                except (ProcessLookupError, ChildProcessError):
                    time.sleep(0.01)  # another one's child, which comes to this process with the next round
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None:
            error.args = (f"{error.args[0] if error.args else error}\nthe end of its log:\n{self.log()[-3000:]}",)
        self.close()


class NginxFpm(Server):
    path = "/"
    worker = "php-fpm"

    @staticmethod
    def missing():
        """Why it cannot be run here; None: it can."""
        if not program("nginx"):
            return "there is no nginx"
        return None if program(f"php-fpm{php_release()}", "php-fpm") else "there is no php-fpm"

    def start(self):
        self.port = free_port()
        user = ""
        if os.geteuid() == 0:  # the workers are somebody else, as everywhere
            user = f"user = nobody\ngroup = {pwd.getpwnam('nobody').pw_gid}\n"
        (self.folder / "fpm.conf").write_text(
            f"[global]\ndaemonize = no\nerror_log = {self.folder}/log/fpm\n"
            f"[www]\n{user}listen = {self.folder}/socket\nlisten.mode = 0666\npm = static\npm.max_children = 6\n"
        )
        (self.folder / "nginx.conf").write_text(
            f"daemon off;\npid {self.folder}/nginx.pid;\nworker_processes 1;\nevents {{}}\n"
            "http {\n  access_log off;\n"
            + "".join(
                f"  {kind}_temp_path {self.folder}/{kind};\n"
                for kind in ("client_body", "fastcgi", "proxy", "scgi", "uwsgi")
            )
            + f"  server {{\n    listen 127.0.0.1:{self.port};\n    location / {{\n"
            f"      include /etc/nginx/fastcgi_params;\n      fastcgi_param SCRIPT_FILENAME {self.folder}/app/index.php;\n"
            f"      fastcgi_read_timeout 300;\n      fastcgi_pass unix:{self.folder}/socket;\n    }}\n  }}\n}}\n"
        )
        self.run(program(f"php-fpm{php_release()}", "php-fpm"), "-F", "-y", self.folder / "fpm.conf")
        self.wait_until((self.folder / "socket").exists, "php-fpm")
        self.run(
            program("nginx"), "-p", self.folder, "-e", self.folder / "log" / "nginx", "-c", self.folder / "nginx.conf"
        )
        self.wait_until(lambda: self.answers(), "nginx")

    def answers(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class CgiServer(Server):
    path = "/cgi-bin/page"
    worker = "php-cgi"

    @staticmethod
    def missing():
        if not os.path.exists(os.environ.get("SAFEHOLD_CGI_SERVER", "")):
            return "the CGI server of the examples is not built"
        return None if program(f"php-cgi{php_release()}", "php-cgi") else "there is no php-cgi"

    def start(self):
        scripts = self.folder / "cgi-bin"
        scripts.mkdir()
        page = scripts / "page"
        page.write_text(
            f"#!/bin/sh\nexport PHPRC='{self.folder}' PHP_INI_SCAN_DIR= SCRIPT_FILENAME='{self.folder}/app/index.php'\n"
            f"unset PATH_TRANSLATED\nexec {program(f'php-cgi{php_release()}', 'php-cgi')}\n"
        )
        page.chmod(0o755)
        command = ["--root", self.folder / "app", "--cgi-bin", scripts, "--host", "127.0.0.1", "--port", "0"]
        self.run(os.environ["SAFEHOLD_CGI_SERVER"], *command, "--jobs", "6", "--timeout", "300")
        listening = re.compile(r"listening on http://127\.0\.0\.1:(\d+)/")
        self.wait_until(lambda: listening.search(self.log()), "the CGI server")
        self.port = int(listening.search(self.log()).group(1))


def visit(server, query="", cookie=None):
    """One request, as (status, text, cookie, pid of the worker)."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=6 * PATIENCE)
    connection.request("GET", server.path + query, headers={"Cookie": cookie} if cookie else {})
    response = connection.getresponse()
    text = response.read().decode()
    given = (response.getheader("Set-Cookie") or cookie or "").split(";")[0]
    connection.close()
    return response.status, text, given, int(response.getheader("X-Worker", "0"))
