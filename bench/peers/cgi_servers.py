# SPDX-License-Identifier: MIT
"""The servers that run CGI programs: Debian's, each with a configuration of its own in a temporary folder, and ours.

Each is given what it needs to be quick: keep-alive without an end and no access log."""
import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time

# A hard limit of a million makes some of them slow, as they close all of it for each child.
FILES = 1024


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """Started on entry, with site as its folder: site/cgi-bin has the programs, site/htdocs is empty."""

    program = None
    closes = False  # each connection, and without a length, which wrk counts as an error
    def __init__(self, site, files=FILES, options=()):
        self.site, self.files, self.options, self.port, self.processes = site, files, options, free_port(), []
        self.folder = tempfile.mkdtemp(prefix="server-", dir=os.path.dirname(site))
        os.chmod(self.folder, 0o755)

    @classmethod
    def installed(cls):
        return shutil.which(cls.program, path=os.environ["PATH"] + ":/usr/sbin") is not None

    def run(self, *argv):
        path = shutil.which(argv[0], path=os.environ["PATH"] + ":/usr/sbin")
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.processes.append(subprocess.Popen(
                [path, *argv[1:]], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (self.files, self.files))))

    def config(self, text):
        path = os.path.join(self.folder, "config")
        with open(path, "w") as out:
            out.write(text)
        return path

    def __enter__(self):
        try:
            self.start()
            self.wait_until_it_answers()
        except BaseException:
            self.__exit__()
            raise
        return self

    def wait_until_it_answers(self):
        end = time.monotonic() + 10
        while time.monotonic() < end and all(p.poll() is None for p in self.processes):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        with open(os.path.join(self.folder, "log"), errors="replace") as log:
            raise RuntimeError(f"{self.name} does not answer: {log.read()[-500:]}")

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                pass
            try:
                os.killpg(process.pid, signal.SIGKILL)  # what it left in its group, or the server itself
            except ProcessLookupError:
                pass
            process.wait()
        shutil.rmtree(self.folder)

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"


class Lighttpd(Server):
    name, program, workers = "lighttpd mod_cgi", "lighttpd", 0  # itself

    def start(self):
        self.run("lighttpd", "-D", "-f", self.config(f"""
server.document-root = "{self.site}/htdocs"
server.bind = "127.0.0.1"
server.port = {self.port}
server.modules = ("mod_alias", "mod_cgi")
server.max-keep-alive-requests = 100000000
server.max-worker = {self.workers}
server.upload-dirs = ("{self.folder}")
alias.url = ("/cgi-bin/" => "{self.site}/cgi-bin/")
$HTTP["url"] =~ "^/cgi-bin/" {{ cgi.assign = ("" => "") }}
"""))


class LighttpdWorkers(Lighttpd):
    workers = os.cpu_count()
    name = f"lighttpd mod_cgi ({workers} workers)"


class Apache(Server):
    name, program = "Apache mod_cgid", "apache2"

    def start(self):
        modules = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so"
                            for name in ("mpm_event", "authz_core", "alias", "cgid"))
        # As root it wants another user to be, who has to reach its folder and the socket in it.
        os.chmod(self.folder, 0o777)
        self.run("apache2", "-DFOREGROUND", "-d", self.folder, "-f", self.config(f"""
{modules}
ServerName localhost
Listen 127.0.0.1:{self.port}
User nobody
Group nogroup
PidFile {self.folder}/pid
ScriptSock {self.folder}/sock
ErrorLog {self.folder}/error
DefaultRuntimeDir {self.folder}
Mutex file:{self.folder} default
MaxKeepAliveRequests 0
DocumentRoot {self.site}/htdocs
ScriptAlias /cgi-bin/ {self.site}/cgi-bin/
<Directory {self.site}>
  Require all granted
</Directory>
"""))


class Nginx(Server):
    name, program = "nginx + fcgiwrap (8)", "nginx"

    @classmethod
    def installed(cls):
        return super().installed() and shutil.which("fcgiwrap", path="/usr/bin:/usr/sbin") is not None

    def start(self):
        user = "user root;" if os.geteuid() == 0 else ""
        temporary = "".join(f"{kind}_temp_path {self.folder}/{kind};\n"
                            for kind in ("client_body", "fastcgi", "proxy", "scgi", "uwsgi"))
        self.run("fcgiwrap", "-c", "8", "-s", f"unix:{self.folder}/sock")
        self.run("nginx", "-e", f"{self.folder}/error", "-c", self.config(f"""
{user}
daemon off;
worker_processes auto;
pid {self.folder}/pid;
events {{ worker_connections 1000; }}
http {{
  access_log off;
  keepalive_requests 100000000;
  {temporary}
  server {{
    listen 127.0.0.1:{self.port};
    root {self.site}/htdocs;
    location /cgi-bin/ {{
      include /etc/nginx/fastcgi_params;
      fastcgi_param SCRIPT_FILENAME {self.site}$fastcgi_script_name;
      fastcgi_pass unix:{self.folder}/sock;
    }}
  }}
}}
"""))


class Busybox(Server):
    name, program, closes = "busybox httpd", "busybox", True

    def start(self):
        self.run("busybox", "httpd", "-f", "-p", f"127.0.0.1:{self.port}", "-h", self.site)


PEERS = [Lighttpd, LighttpdWorkers, Apache, Nginx, Busybox]


class Ours(Server):
    name = "cgi_server"  # and program is where it was built

    @classmethod
    def installed(cls):
        return os.path.exists(cls.program)

    def start(self):
        self.run(self.program, "--root", f"{self.site}/htdocs", "--cgi-bin", f"{self.site}/cgi-bin",
                 "--port", str(self.port), *self.options)
