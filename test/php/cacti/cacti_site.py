# SPDX-License-Identifier: MIT
"""cacti_site.py OPTIONS: one cacti of its own, polled and looked at. Only for cacti.py, in the name spaces it makes."""
import concurrent.futures
import glob
import http.cookiejar
import json
import math
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
import zlib

SITE = pathlib.Path("/usr/share/cacti/site")
HOME = SITE.parent
USER = "www-data"
POLLS = 2  # runs of poller.php, each of which polls six times within a minute
FOLDERS = (
    "etc",
    "lib/rra",
    "lib/csrf",
    "lib/cache/boost",
    "lib/cache/mibcache",
    "lib/cache/realtime",
    "lib/cache/spikekill",
    "log",
    "db",
    "run",
    "ini",
    "sessions",
    "web",
    "home",
)
REPLACED = ("flock", "proc_open", "exec", "shell_exec", "system", "passthru", "popen", "session")

NGINX = """
daemon off; pid {folder}/run/nginx.pid; error_log {folder}/log/nginx.log; worker_processes 1;
events {{ worker_connections 256; }}
http {{
  include /etc/nginx/mime.types;
  access_log off; client_body_temp_path {folder}/web/body; proxy_temp_path {folder}/web/proxy;
  fastcgi_temp_path {folder}/web/fastcgi; uwsgi_temp_path {folder}/web/uwsgi; scgi_temp_path {folder}/web/scgi;
  server {{
    listen 127.0.0.1:{port};
    location /cacti/ {{ alias /usr/share/cacti/site/; index index.php; }}
    location ~ ^/cacti/(.+\\.php)$ {{
      include /etc/nginx/fastcgi_params;
      fastcgi_param SCRIPT_FILENAME /usr/share/cacti/site/$1; fastcgi_pass unix:{folder}/run/fpm.sock;
    }}
    location = /loaded.php {{
      include /etc/nginx/fastcgi_params;
      fastcgi_param SCRIPT_FILENAME {folder}/web/loaded.php; fastcgi_pass unix:{folder}/run/fpm.sock;
    }}
  }}
}}
"""
FPM = """
[global]
daemonize = no
error_log = {folder}/log/fpm.log
[www]
listen = {folder}/run/fpm.sock
pm = static
pm.max_children = 3
clear_env = no
catch_workers_output = yes
"""
LOADED = "<?php phpinfo(INFO_MODULES);"


def need(truth, what):
    if not truth:
        raise RuntimeError(what)


def run(command, seconds=60, **more):
    """Its output, both streams of it, through a file: cacti leaves children in the background that keep a pipe open."""
    more.setdefault("stdin", subprocess.DEVNULL)
    with tempfile.TemporaryFile() as output:
        code = subprocess.run(command, stdout=output, stderr=output, timeout=seconds, **more).returncode
        output.seek(0)
        text = output.read().decode(errors="replace")
    need(code == 0, f"{' '.join(map(str, command))} ended with {code}:\n{text}")
    return text


def eventually(what, seconds=20):
    """What what() gives in the end, as soon as that is empty or false."""
    end = time.monotonic() + seconds
    while (found := what()) and time.monotonic() < end:
        time.sleep(0.2)
    return found


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def processes():
    """{pid: (parent, state and command line)} of this name space."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                name, _, rest = (entry / "stat").read_text().rpartition(")")
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                found[int(entry.name)] = (int(rest.split()[1]), f"{rest.split()[0]} {words or name.partition('(')[2]}")
            except (FileNotFoundError, ProcessLookupError):
                pass
    return found


def rows_of_pixels(data):
    """How many different ones a PNG has: a picture that shows nothing has one."""
    need(data.startswith(b"\x89PNG\r\n\x1a\n"), f"no PNG: {data[:300]!r}")
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"IHDR":
            width, _, depth, colour = struct.unpack_from(">IIBB", data, at + 8)
        if kind == b"IDAT":
            packed += data[at + 8 : at + 8 + length]
        at += 12 + length
    stride = 1 + width * {0: 1, 2: 3, 3: 1, 6: 4}[colour] * depth // 8
    pixels = zlib.decompress(packed)
    return len({pixels[row : row + stride] for row in range(0, len(pixels), stride)})


class Cacti:
    def __init__(self, folder, extension):
        """extension: None for stock PHP."""
        self.folder, self.extension = pathlib.Path(folder), extension
        self.port, self.web_port, self.password = free_port(), free_port(), "quite-Secret-1"
        self.servers, self.result = [], {}
        for name in FOLDERS:
            (self.folder / name).mkdir(parents=True)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": f"{folder}/home",
            "TMPDIR": f"{folder}/run",
            "LANG": "C.UTF-8",
            "PHP_INI_SCAN_DIR": f":{folder}/ini",
        }
        self.browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def configure(self):
        settings = f"session.save_path={self.folder}/sessions\nlog_errors=1\ndisplay_errors=0\ndate.timezone=UTC\n"
        settings += f"memory_limit=512M\nerror_log={self.folder}/log/php.log\n"
        if self.extension:
            settings += f"extension={self.extension}\nsafehold.replace=all\n"
        (self.folder / "ini/zz-test.ini").write_text(settings)
        text = (HOME / "conf_templates/debian.php.dist").read_text()
        for name, value in (
            ("NAME", "cacti"),
            ("SERVER", "127.0.0.1"),
            ("USER", "cacti"),
            ("PASS", self.password),
            ("PORT", str(self.port)),
        ):
            text = text.replace(f"_DBC_DB{name}_", value)
        (self.folder / "etc/debian.php").write_text(text)
        shutil.copy("/var/lib/cacti/cache/index.php", self.folder / "lib/cache")
        (self.folder / "log/cacti.log").touch()
        for installed in (SITE / "scripts", HOME / "resource"):  # the installer wants to unpack templates into these
            shutil.copytree(installed, self.folder / installed.name, symlinks=True)
        run(["chown", "-R", f"{USER}:{USER}", str(self.folder)])
        for ours, theirs in (
            ("etc", "/etc/cacti"),
            ("lib", "/var/lib/cacti"),
            ("log", "/var/log/cacti"),
            ("scripts", SITE / "scripts"),
            ("resource", HOME / "resource"),
        ):
            run(["mount", "--bind", str(self.folder / ours), str(theirs)])
        self.check_loaded(self.php("-r", "phpinfo(INFO_MODULES);"))

    def check_loaded(self, text):
        """Whether the replacements are in effect, as phpinfo() says."""
        line = re.search(r"Replaced functions.*", text)
        names = (
            set(re.findall(r"\w+", re.sub("<[^>]*>", " ", line.group()).partition("functions")[2])) if line else set()
        )
        need(names >= set(REPLACED) if self.extension else not names, f"replaced is {names or 'nothing'}")

    def start(self, name, *command, **more):
        with open(self.folder / f"log/{name}.out", "ab") as output:
            server = subprocess.Popen(
                list(map(str, command)),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self.environment,
                **more,
            )
        self.servers.append((name, server))

    def stop(self):
        """Each politely; whoever does not end is named."""
        for name, server in reversed(self.servers):
            server.send_signal(signal.SIGQUIT if name in ("nginx", "fpm") else signal.SIGTERM)
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                raise RuntimeError(f"{name} did not end: {processes()}") from None
        self.servers = []

    def answers(self, name, what, seconds=60):
        end = time.monotonic() + seconds
        while True:
            try:
                return what()
            except (RuntimeError, OSError) as why:
                need(
                    time.monotonic() < end,
                    f"{name} does not answer: {why}\n" + "\n".join(self.lines(f"{name}.out")[-20:]),
                )
                time.sleep(0.2)

    def lines(self, log):
        path = self.folder / "log" / log
        return path.read_text(errors="replace").splitlines() if path.exists() else []

    def sql(self, text, database="cacti"):
        with tempfile.TemporaryFile() as given:
            given.write(text.encode())
            given.seek(0)
            return run(
                [
                    "mariadb",
                    "--no-defaults",
                    "--protocol=socket",
                    f"--socket={self.folder}/run/db.sock",
                    "-uroot",
                    "--batch",
                    "--skip-column-names",
                    database,
                ],
                stdin=given,
            ).strip()

    def database(self):
        data = self.folder / "db"
        run(
            [
                "mariadb-install-db",
                "--no-defaults",
                f"--datadir={data}",
                f"--user={USER}",
                "--skip-test-db",
                "--auth-root-authentication-method=normal",
            ],
            120,
        )
        self.start(
            "mariadbd",
            "mariadbd",
            "--no-defaults",
            f"--datadir={data}",
            f"--user={USER}",
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            f"--socket={self.folder}/run/db.sock",
            f"--pid-file={self.folder}/run/db.pid",
            "--character-set-server=utf8mb4",
            "--collation-server=utf8mb4_unicode_ci",
            "--skip-log-bin",
            "--innodb-flush-log-at-trx-commit=0",
        )
        self.answers("mariadbd", lambda: self.sql("SELECT 1", "mysql"))
        self.sql("INSERT INTO time_zone VALUES (1, 'N'); INSERT INTO time_zone_name VALUES ('UTC', 1);", "mysql")
        self.sql("CREATE DATABASE cacti CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;", "mysql")
        for host in ("127.0.0.1", "localhost"):
            self.sql(
                f"""CREATE USER cacti@'{host}' IDENTIFIED BY '{self.password}'; GRANT ALL ON cacti.* TO cacti@'{host}';
                         GRANT SELECT ON mysql.time_zone_name TO cacti@'{host}';""",
                "mysql",
            )
        self.sql((HOME / "conf_templates/cacti.sql").read_text())

    def php(self, *arguments, seconds=120):
        return run(
            ["php", "-q", *map(str, arguments)],
            seconds,
            env=self.environment,
            cwd=str(SITE),
            user=USER,
            group=USER,
            extra_groups=[],
        )

    def install(self):
        """Its own installer; then a poll each 10 seconds, so that graphs have data soon."""
        self.php(
            HOME / "cli/install_cacti.php",
            "--accept-eula",
            "--install",
            "--force",
            "--cron=60",
            "--automationmode=0",
            "--template=Local_Linux_Machine.xml.gz:1",
            "--template=Cacti_Stats.xml.gz:1",
            seconds=300,
        )
        self.php(HOME / "cli/refresh_csrf.php")
        self.sql(
            """
            REPLACE INTO settings VALUES ('poller_interval', '10'), ('cron_interval', '60'), ('log_verbosity', '3');
            UPDATE data_source_profiles SET step = 10, heartbeat = 60 WHERE id = 1;
            UPDATE data_template_data SET rrd_step = 10;
            UPDATE data_template_rrd SET rrd_heartbeat = 60;
            UPDATE user_auth SET must_change_password = '', password_change = '' WHERE username = 'admin';"""
        )

    def devices(self):
        """Two; cacti makes the graphs of their templates. Its own statistics come from its script server."""
        for address, name in ((1, "Local Linux Machine"), (2, "Cacti Stats")):
            template = self.sql(f"SELECT id FROM host_template WHERE name = '{name}'")
            self.php(
                HOME / "cli/add_device.php",
                f"--description={name}",
                f"--ip=127.0.0.{address}",
                f"--template={template}",
                "--avail=none",
                "--version=0",
            )
        kinds = self.sql("SELECT action, COUNT(*) FROM poller_item GROUP BY action ORDER BY action").split()
        need(kinds[::2] == ["1", "2"], f"there is not both a script and the script server to poll: {kinds}")

    def poll(self):
        for _ in range(POLLS):
            self.php(SITE / "poller.php", "--force", seconds=120)
        self.nothing_left("the polls")

    def look(self):
        """What the files hold: data sources that have got a value."""
        self.result["files"] = {}
        for path in sorted((self.folder / "lib/rra").glob("*.rrd")):
            rows = run(["rrdtool", "fetch", str(path), "AVERAGE", "-r", "10", "-s", "-300"]).splitlines()
            names = rows[0].split()
            values = [row.split(":")[1].split() for row in rows[2:]]
            known = {name for value in values for name, one in zip(names, value) if not math.isnan(float(one))}
            self.result["files"][path.name] = sorted(known)
        need(any(self.result["files"].values()), "no file has got any data")

    def serve(self):
        names = {"folder": self.folder, "port": self.web_port}
        (self.folder / "web/nginx.conf").write_text(NGINX.format(**names))
        (self.folder / "web/fpm.conf").write_text(FPM.format(**names))
        (self.folder / "web/loaded.php").write_text(LOADED)
        fpm = sorted(glob.glob("/usr/sbin/php-fpm*"))[-1]
        as_user = {"user": USER, "group": USER, "extra_groups": []}
        self.start("fpm", fpm, "--fpm-config", self.folder / "web/fpm.conf", **as_user)
        self.start(
            "nginx",
            "nginx",
            "-p",
            self.folder / "web",
            "-e",
            self.folder / "log/nginx.log",
            "-c",
            self.folder / "web/nginx.conf",
            **as_user,
        )
        self.check_loaded(self.answers("fpm", lambda: self.get("/loaded.php").decode()))

    def get(self, path, **fields):
        data = urllib.parse.urlencode(fields).encode() if fields else None
        with self.browser.open(f"http://127.0.0.1:{self.web_port}{path}", data, 60) as answer:
            return answer.read()

    def log_in(self):
        form = self.get("/cacti/index.php").decode()
        secret = re.search(r"name='__csrf_magic' value=\"([^\"]*)\"", form)
        need(secret, f"there is no form to log in: {form[:500]}")
        page = self.get(
            "/cacti/index.php",
            __csrf_magic=secret.group(1),
            action="login",
            login_username="admin",
            login_password="admin",
        ).decode()
        need("logout.php" in page, f"nobody is logged in: {page[-3000:]}")

    def picture(self, number):
        end = int(time.time())
        times = f"local_graph_id={number}&graph_start={end - 300}&graph_end={end}"
        shows = rows_of_pixels(
            self.get(f"/cacti/graph_image.php?{times}&image_format=png&graph_width=600&disable_cache=1")
        )
        table = self.get(f"/cacti/graph_xport.php?{times}").decode()
        return shows > 40, re.search(r'^"[\d: -]+"(,"?[\d.]+"?)+', table, re.MULTILINE) is not None

    def browse(self):
        """Every graph as a picture and as a table, four at once, within one session."""
        self.log_in()
        numbers = list(map(int, self.sql("SELECT id FROM graph_local ORDER BY id").split()))
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            shown = list(pool.map(self.picture, numbers))
        self.result["graphs"] = [number for number, (picture, _) in zip(numbers, shown) if picture]
        self.result["exports"] = [number for number, (_, table) in zip(numbers, shown) if table]
        need(self.result["graphs"] and self.result["exports"], f"no graph shows anything: {shown}")
        self.nothing_left("the requests")

    def strangers(self):
        there = processes()
        ours = {1, os.getpid()} | {server.pid for _, server in self.servers}
        workers = {
            pid for pid, (parent, words) in there.items() if parent in ours and "worker" in words or "pool" in words
        }
        return {pid: words for pid, (_, words) in there.items() if pid not in ours | workers}

    def locks(self):
        held = {line.split()[-3].split(":")[-1] for line in pathlib.Path("/proc/locks").read_text().splitlines()}
        files = [
            path for name in ("lib", "log", "run", "sessions", "scripts") for path in (self.folder / name).rglob("*")
        ]
        return [str(path) for path in files if str(path.lstat().st_ino) in held]

    def nothing_left(self, after):
        """Processes, zombies and locks. cacti itself leaves commands in the background, which end soon."""
        left = eventually(self.strangers)
        need(not left, f"after {after} there are still the processes {left}")
        left = eventually(self.locks)
        need(not left, f"after {after} there are still locks on {left}")

    def found(self):
        return [list(self.result["files"].values()), self.result["graphs"], self.result["exports"]]

    def finish(self):
        self.stop()
        self.nothing_left("the servers")
        self.result.update(
            log=self.lines("cacti.log"), php_log=self.lines("php.log"), stderr_log=self.lines("cacti_stderr.log")
        )
        (self.folder / "result.json").write_text(json.dumps(self.result))


def main():
    cacti = Cacti(**json.loads(sys.argv[1]))
    os.chdir(cacti.folder)
    os.environ["TMPDIR"] = cacti.environment["TMPDIR"]
    for step in (
        cacti.configure,
        cacti.database,
        cacti.install,
        cacti.devices,
        cacti.poll,
        cacti.look,
        cacti.serve,
        cacti.browse,
        cacti.finish,
    ):
        began = time.monotonic()
        step()
        print(f"{step.__name__}: {time.monotonic() - began:.1f} s", flush=True)
    print("files, graphs, tables with data:", *(sum(map(bool, found)) for found in cacti.found()))


main()
