# SPDX-License-Identifier: MIT
"""Real programs behind the server, and real clients before it. What is not installed is skipped."""
import hashlib
import http.client
import json
import os
import pathlib
import re
import shutil
import subprocess
import unittest
import urllib.parse

from harness import PATIENCE, SLOWNESS, Server, eventually, fetch, memory_for

GIT_BACKEND = "/usr/lib/git-core/git-http-backend"


def setUpModule():
    global server
    server = Server(jobs=8, timeout=60, max_body="100M")


def tearDownModule():
    server.close()


def script(name, text):
    path = server.bin / name
    path.write_text(text)
    path.chmod(0o755)


def run(*command, **how):
    """A client program, which has to succeed."""
    environment = dict(
        os.environ, HOME=str(server.folder), GIT_CONFIG_NOSYSTEM="1", GIT_TERMINAL_PROMPT="0", LC_ALL="C"
    )
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=60 * SLOWNESS, stdin=subprocess.DEVNULL, env=environment, **how
    )
    if result.returncode != 0:
        raise AssertionError(
            f"{command} ended with {result.returncode}: {result.stderr}{result.stdout}\n{server.log()[-2000:]}"
        )
    return result.stdout


@unittest.skipUnless(os.path.exists(GIT_BACKEND), "there is no git http-backend")
class Git(unittest.TestCase):
    def git(self, *arguments, folder=None, **settings):
        identity = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "protocol.version=2"]
        for name, value in settings.items():
            identity += ["-c", f"http.{name}={value}"]
        return run("git", *identity, *arguments, cwd=folder or server.folder)

    def setUp(self):
        self.projects = server.folder / "projects"
        shutil.rmtree(self.projects, ignore_errors=True)
        self.projects.mkdir()
        self.git("init", "--quiet", "--bare", "-b", "main", str(self.projects / "a.git"))
        self.git("config", "http.receivepack", "true", folder=self.projects / "a.git")
        script(
            "git",
            f"#!/bin/sh\nexport GIT_PROJECT_ROOT='{self.projects}' GIT_HTTP_EXPORT_ALL=1 REMOTE_USER=tester\n"
            f"exec {GIT_BACKEND}\n",
        )
        self.url = f"http://127.0.0.1:{server.port}/cgi-bin/git/a.git"
        self.work = server.folder / "work"
        shutil.rmtree(self.work, ignore_errors=True)
        self.git("init", "--quiet", "-b", "main", str(self.work))
        self.git("remote", "add", "origin", self.url, folder=self.work)

    def commit(self, name, data):
        (self.work / name).write_bytes(data)
        self.git("add", name, folder=self.work)
        self.git("commit", "--quiet", "-m", name, folder=self.work)

    def clone(self):
        copy = server.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        self.git("clone", "--quiet", self.url, str(copy))
        return copy

    def test_push_and_clone(self):
        self.commit("small", b"text\n")
        self.git("push", "--quiet", "origin", "main", folder=self.work)
        self.assertEqual((self.clone() / "small").read_bytes(), b"text\n")

    def test_a_push_in_chunks(self):
        """http.postBuffer is less than the pack: git sends it chunked, after a probe, and asks for 100-continue if told to."""
        data = os.urandom(12_000_000)
        self.commit("big", data)
        self.git("push", "--quiet", "origin", "main", folder=self.work, postBuffer=65536)
        self.assertEqual((self.clone() / "big").read_bytes(), data)
        log = self.git("--git-dir", str(self.projects / "a.git"), "fsck", "--full")
        self.assertNotIn("error", log)

    def test_a_fetch_with_a_compressed_body(self):
        """With many branches to ask for, the client sends its request with Content-Encoding: gzip."""
        for index in range(30):
            self.git("commit", "--quiet", "--allow-empty", "-m", f"there {index}", folder=self.work)
            self.git("branch", f"branch{index}", folder=self.work)
        self.commit("last", b"last\n")
        self.git("push", "--quiet", "--all", "origin", folder=self.work)
        trace = server.folder / "trace"
        trace.unlink(missing_ok=True)
        os.environ["GIT_TRACE_CURL"] = str(trace)
        try:
            copy = self.clone()
        finally:
            del os.environ["GIT_TRACE_CURL"]
        self.assertIn("Content-Encoding: gzip", trace.read_text(errors="replace"))
        self.assertEqual((copy / "last").read_bytes(), b"last\n")

    def test_a_project_that_is_not_there(self):
        with self.assertRaisesRegex(AssertionError, "not found"):
            self.git("clone", "--quiet", self.url.replace("a.git", "b.git"), str(server.folder / "none"))


@unittest.skipUnless(shutil.which("php-cgi"), "there is no php-cgi")
class Php(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pages = server.folder / "php"
        if not cls.pages.is_dir():
            cls.pages.mkdir()
            (cls.pages / "sessions").mkdir()
        (cls.pages / "php.ini").write_text(
            f"upload_max_filesize=80M\npost_max_size=90M\nupload_tmp_dir={cls.pages}\n"
            f"session.save_path={cls.pages}/sessions\nmemory_limit=32M\ndisplay_errors=0\nlog_errors=1\n"
        )
        script(
            "php",
            f"#!/bin/sh\nexport PHPRC='{cls.pages}' SCRIPT_FILENAME='{cls.pages}'\"$PATH_INFO\"\nunset PATH_TRANSLATED\nexec php-cgi\n",
        )
        cls.page(
            "form.php",
            'header("Content-Type: application/json"); echo json_encode([$_POST, $_GET, $_SERVER["REQUEST_METHOD"]]);',
        )
        cls.page(
            "upload.php",
            'header("Content-Type: application/json"); $f = $_FILES["file"];'
            'echo json_encode([$f["name"], $f["size"], $f["error"], hash_file("sha256", $f["tmp_name"]), $_POST]);',
        )
        cls.page(
            "count.php",
            'session_start(); $_SESSION["n"] = ($_SESSION["n"] ?? 0) + 1; usleep(50000); echo $_SESSION["n"];',
        )

    @classmethod
    def page(cls, name, code):
        (cls.pages / name).write_text(f"<?php {code}")

    def test_a_form(self):
        values = {"name": "Grüße & Co", "text": "x" * 5000, "a[]": "1"}
        body = urllib.parse.urlencode(values).encode()
        reply = fetch(
            server, "/cgi-bin/php/form.php?q=1+2", "POST", [("Content-Type", "application/x-www-form-urlencoded")], body
        )
        posted, got, method = json.loads(reply.text)
        self.assertEqual(
            (posted["name"], posted["text"], posted["a"], got, method),
            (values["name"], values["text"], ["1"], {"q": "1 2"}, "POST"),
        )

    def test_a_file_of_fifty_megabytes(self):
        self.upload("--http1.1")

    def test_a_file_of_fifty_megabytes_in_chunks(self):
        self.upload("-H", "Transfer-Encoding: chunked")

    def upload(self, *options):
        if not shutil.which("curl"):
            self.skipTest("there is no curl")
        path = server.folder / "upload.bin"
        digest = hashlib.sha256()
        with open(path, "wb") as file:
            for _ in range(50):
                piece = os.urandom(1 << 20)
                file.write(piece)
                digest.update(piece)
        before = server.memory()
        text = run(
            "curl",
            "-sS",
            *options,
            "-F",
            f"file=@{path}",
            "-F",
            "note=with it",
            f"http://127.0.0.1:{server.port}/cgi-bin/php/upload.php",
        )
        self.assertLess(server.memory() - before, memory_for(8 << 20))
        self.assertEqual(json.loads(text), ["upload.bin", 50 << 20, 0, digest.hexdigest(), {"note": "with it"}])
        path.unlink()

    def test_a_session(self):
        """Its file is locked while a page runs: the requests of one session come one after the other, and none is lost."""
        reply = fetch(server, "/cgi-bin/php/count.php")
        cookie = reply.get("Set-Cookie").split(";")[0]
        clients = []
        for _ in range(6):
            clients.append(http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE))
            clients[-1].request("GET", "/cgi-bin/php/count.php", headers={"Cookie": cookie})
        counts = sorted(int(client.getresponse().read()) for client in clients)
        self.assertEqual(counts, [2, 3, 4, 5, 6, 7])
        for client in clients:
            client.close()

    def test_a_page_that_is_a_script_itself(self):
        """#!/usr/bin/php-cgi: SCRIPT_FILENAME and REDIRECT_STATUS are what it needs of the server."""
        script(
            "own.php",
            f"#!{shutil.which('php-cgi')}\n<?php http_response_code(201); header('X-Php: yes'); echo $_SERVER['PATH_INFO'];",
        )
        reply = fetch(server, "/cgi-bin/own.php/info")
        self.assertEqual((reply.status, reply.get("X-Php"), reply.text), (201, "yes", "/info"))

    def test_a_page_with_an_error(self):
        self.page("error.php", "nonsense(")
        self.assertEqual(fetch(server, "/cgi-bin/php/error.php").status, 500)
        self.assertEqual(fetch(server, "/cgi-bin/php/missing.php").status, 404)


class Languages(unittest.TestCase):
    def test_a_python_script_with_a_form(self):
        script(
            "form.py",
            "#!/usr/bin/python3 -I\nimport os, sys, urllib.parse, json\n"
            "body = sys.stdin.buffer.read(int(os.environ['CONTENT_LENGTH'])).decode()\n"
            "print('Content-Type: application/json; charset=utf-8\\n')\nprint(json.dumps(urllib.parse.parse_qs(body)))\n",
        )
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
        for number in range(3):
            client.request("POST", "/cgi-bin/form.py", urllib.parse.urlencode({"a": "ü", "n": number}))
            self.assertEqual(json.loads(client.getresponse().read()), {"a": ["ü"], "n": [str(number)]})
        client.close()

    def test_a_shell_script(self):
        script("greet.sh", '#!/bin/sh\necho "Content-Type: text/plain"\necho\necho "Hello, ${QUERY_STRING#name=}."\n')
        self.assertEqual(fetch(server, "/cgi-bin/greet.sh?name=you").text, "Hello, you.\n")


@unittest.skipUnless(shutil.which("curl"), "there is no curl")
class Curl(unittest.TestCase):
    def curl(self, *arguments):
        return run("curl", "-sS", "--max-time", "30", *arguments)

    def url(self, path):
        return f"http://127.0.0.1:{server.port}{path}"

    def test_one_connection_for_many(self):
        text = self.curl(
            "-w",
            "%{num_connects}\n",
            "-o",
            "/dev/null",
            "-o",
            "/dev/null",
            "-o",
            "/dev/null",
            self.url("/index.html"),
            self.url("/cgi-bin/hello.sh"),
            self.url("/-/status"),
        )
        self.assertEqual(text.split(), ["1", "0", "0"])

    def test_it_expects_to_be_told_to_continue(self):
        path = server.folder / "expect.bin"
        path.write_bytes(os.urandom(3_000_000))
        text = self.curl(
            "-v",
            "-H",
            "Expect: 100-continue",
            "--stderr",
            "-",
            "--data-binary",
            f"@{path}",
            self.url("/cgi-bin/sum.sh"),
        )
        self.assertIn("HTTP/1.1 100 Continue", text)
        self.assertIn(hashlib.sha256(path.read_bytes()).hexdigest(), text)

    def test_it_sends_what_it_reads(self):
        """An upload from a pipe is chunked."""
        command = f"head -c 3000000 /dev/zero | curl -sS -T - '{self.url('/cgi-bin/sum.sh')}'"
        self.assertEqual(run("sh", "-c", command), hashlib.sha256(bytes(3_000_000)).hexdigest() + "\n")

    def test_an_echo_of_four_megabytes(self):
        path = server.folder / "echo.bin"
        path.write_bytes(os.urandom(4 << 20))
        out = server.folder / "echo.out"
        self.curl("--data-binary", f"@{path}", "-o", str(out), self.url("/cgi-bin/echo.sh"))
        self.assertEqual(out.read_bytes(), path.read_bytes())

    def test_other_requests(self):
        self.assertIn("HTTP/1.1 200", self.curl("-I", self.url("/cgi-bin/hello.sh")))
        self.assertEqual(self.curl("-0", self.url("/cgi-bin/hello.sh")), "hello\n")
        self.assertEqual(self.curl("-r", "3-7", self.url("/index.html")), "index")
        script("away.sh", '#!/bin/sh\nprintf "Location: http://%s/cgi-bin/hello.sh\\n\\n" "$HTTP_HOST"\n')
        self.assertEqual(self.curl("-L", self.url("/cgi-bin/away.sh")), "hello\n")


@unittest.skipUnless(shutil.which("wrk"), "there is no wrk")
class Wrk(unittest.TestCase):
    def test_no_request_fails(self):
        for path in ("/cgi-bin/hello.sh", "/index.html"):
            text = run("wrk", "-t1", "-c8", "-d1s", f"http://127.0.0.1:{server.port}{path}")
            rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
            print(f"{path}: {rate.group(1)} requests/s")
            self.assertGreater(float(rate.group(1)), 1)
            self.assertNotIn("Non-2xx", text)
            self.assertNotIn("Socket errors", text)
        self.assertTrue(eventually(lambda: not server.children()))
