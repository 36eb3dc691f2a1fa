# SPDX-License-Identifier: MIT
"""What a script finds: the variables of RFC 3875, and nothing of the server's own."""
import os
import re
import signal
import unittest

from harness import Client, Server, fetch


def setUpModule():
    global server, leaked
    # Whoever starts the server leaves it a descriptor that is not close-on-exec, an ignored signal and a blocked one.
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
    inherited = os.open("/etc/hostname", os.O_RDONLY)
    os.set_inheritable(inherited, True)
    server = Server(jobs=4, inherited=inherited, env="CONFIGURED=as asked")
    os.close(inherited)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR2])
    signal.signal(signal.SIGUSR1, signal.SIG_DFL)
    leaked = [Client(server) for _ in range(3)]  # more sockets that a script must not see


def tearDownModule():
    for client in leaked:
        client.close()
    server.close()


class State:
    """What state.sh says."""

    def __init__(self, reply):
        text = reply.body.decode("latin-1")
        environment, _, rest = text.partition("\nSTATUS\n")
        status, _, rest = rest.partition("STAT\n")
        self.stat, _, rest = rest.partition("LIMITS\n")
        self.limits, _, rest = rest.partition("FOLDER\n")
        self.folder, _, rest = rest.partition("\nARGUMENTS\n")
        arguments, _, links = rest.partition("DESCRIPTORS\n")
        pairs = [entry.partition("=") for entry in environment.split("\0") if entry]
        self.environment = {name: value for name, _, value in pairs}
        assert len(self.environment) == len(pairs), f"a variable is there twice: {pairs}"
        self.status = dict(re.findall(r"(\w+):\s+(\S+)", status))
        self.arguments = arguments.splitlines()
        self.descriptors = dict(re.findall(r" (\d+) -> (.*)", links))


def state(path="/cgi-bin/state.sh", *arguments, **how):
    return State(fetch(server, path, *arguments, **how))


class Variables(unittest.TestCase):
    def test_a_get_request(self):
        with Client(server) as client:
            port = client.socket.getsockname()[1]
            found = State(
                client.request("/cgi-bin/state.sh/a/b%20c?x=1&y=%20", headers=[("User-Agent", "me")])
            ).environment
        wanted = {
            "GATEWAY_INTERFACE": "CGI/1.1",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": str(server.port),
            "REQUEST_METHOD": "GET",
            "SCRIPT_NAME": "/cgi-bin/state.sh",
            "PATH_INFO": "/a/b c",
            "PATH_TRANSLATED": f"{server.root}/a/b c",
            "QUERY_STRING": "x=1&y=%20",
            "REQUEST_URI": "/cgi-bin/state.sh/a/b%20c?x=1&y=%20",
            "SCRIPT_FILENAME": f"{server.bin}/state.sh",
            "DOCUMENT_ROOT": str(server.root),
            "REMOTE_ADDR": "127.0.0.1",
            "REMOTE_PORT": str(port),
            "REDIRECT_STATUS": "200",
            "HTTP_USER_AGENT": "me",
            "HTTP_HOST": "localhost",
        }
        self.assertEqual({name: found.get(name) for name in wanted}, wanted)
        self.assertRegex(found["SERVER_SOFTWARE"], r"\w+/\d")
        for name in ("CONTENT_LENGTH", "CONTENT_TYPE", "AUTH_TYPE", "REMOTE_USER", "HTTPS"):
            self.assertFalse(found.get(name), name)

    def test_there_is_always_a_query_and_seldom_a_path(self):
        found = state().environment
        self.assertEqual(found["QUERY_STRING"], "")
        self.assertFalse(found.get("PATH_INFO"))
        self.assertFalse(found.get("PATH_TRANSLATED"))
        self.assertEqual(state("/cgi-bin/state.sh?").environment["QUERY_STRING"], "")
        self.assertEqual(state("/cgi-bin/state.sh?a?b").environment["QUERY_STRING"], "a?b")
        self.assertEqual(state("/cgi-bin/state.sh/?a").environment["PATH_INFO"], "/")

    def test_a_post_request(self):
        found = state(method="POST", headers=[("Content-Type", "text/x-y; z=1")], body=b"12345").environment
        wanted = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "5", "CONTENT_TYPE": "text/x-y; z=1"}
        self.assertEqual({name: found.get(name) for name in wanted}, wanted)
        self.assertNotIn("HTTP_CONTENT_LENGTH", found)
        self.assertNotIn("HTTP_CONTENT_TYPE", found)

    def test_other_methods_reach_the_script(self):
        for method in ("PUT", "DELETE", "PATCH", "PROPFIND", "OPTIONS"):
            self.assertEqual(state(method=method).environment["REQUEST_METHOD"], method)

    def test_http_1_0(self):
        found = state(version="1.0", host=None).environment
        self.assertEqual((found["SERVER_PROTOCOL"], found["SERVER_NAME"]), ("HTTP/1.0", "127.0.0.1"))

    def test_the_host_with_its_port(self):
        found = state(host="example.org:8080").environment
        self.assertEqual((found["SERVER_NAME"], found["HTTP_HOST"]), ("example.org", "example.org:8080"))
        self.assertEqual(state(host="[::1]:80").environment["SERVER_NAME"], "[::1]")

    def test_custom_headers_arrive(self):
        headers = [
            ("X-Custom", "one"),
            ("X-Custom", "two"),
            ("x-CASE", "a b"),
            ("X-Empty", ""),
            ("X-9", "n"),
            ("Cookie", "a=1"),
            ("Cookie", "b=2"),
        ]
        found = state(headers=headers).environment
        self.assertRegex(found["HTTP_X_CUSTOM"], r"^one, ?two$")
        self.assertEqual((found["HTTP_X_CASE"], found["HTTP_X_EMPTY"], found["HTTP_X_9"]), ("a b", "", "n"))
        self.assertEqual(found["HTTP_COOKIE"], "a=1; b=2", "RFC 6265, section 5.4, and RFC 9113, section 8.2.3")

    def test_bytes_beyond_ascii_arrive(self):
        found = state("/cgi-bin/state.sh/gr%C3%BC%C3%9Fe", headers=[("X-Latin", "gr\xfc\xdfe")]).environment
        self.assertEqual(found["HTTP_X_LATIN"], "gr\xfc\xdfe")
        self.assertEqual(found["PATH_INFO"].encode("latin-1"), "/grüße".encode())

    def test_the_proxy_header_does_not_become_http_proxy(self):
        """https://httpoxy.org"""
        for name in ("Proxy", "proxy", "PROXY"):
            self.assertNotIn("HTTP_PROXY", state(headers=[(name, "http://evil:1")]).environment)

    def test_a_header_cannot_stand_in_for_another(self):
        headers = [
            ("X_Forwarded_For", "evil"),
            ("Content_Length", "9"),
            ("X.Forwarded.For", "evil"),
            ("X-Real", "mine"),
            ("X_Real", "evil"),
        ]
        found = state(headers=headers).environment
        self.assertNotIn("HTTP_X_FORWARDED_FOR", found)
        self.assertNotIn("HTTP_CONTENT_LENGTH", found)
        self.assertEqual(found["HTTP_X_REAL"], "mine")

    def test_passwords_are_not_shown(self):
        found = state(
            headers=[("Authorization", "Basic c2VjcmV0"), ("Proxy-Authorization", "Basic c2VjcmV0")]
        ).environment
        self.assertNotIn("c2VjcmV0", " ".join(found.values()))

    def test_nothing_of_the_servers_own_environment(self):
        found = state().environment
        self.assertNotIn("SAFEHOLD_CGI_TEST", found)
        self.assertNotIn("TMPDIR", found)
        self.assertNotIn("", found["PATH"].split(":"))
        self.assertTrue(all(folder.startswith("/") for folder in found["PATH"].split(":")))
        for name in found:
            self.assertRegex(name, r"^[A-Z][A-Z0-9_]*$")

    def test_what_the_server_is_told_to_add(self):
        self.assertEqual(state().environment["CONFIGURED"], "as asked")
        self.assertEqual(state(headers=[("CONFIGURED", "otherwise")]).environment["CONFIGURED"], "as asked")

    def test_what_the_server_is_told_to_add_replaces_its_own(self):
        with Server(env="PATH=/opt/bin:/usr/bin:/bin") as other:
            self.assertEqual(State(fetch(other, "/cgi-bin/state.sh")).environment["PATH"], "/opt/bin:/usr/bin:/bin")

    def test_a_long_header_arrives_whole(self):
        self.assertEqual(state(headers=[("X-Long", "x" * 7000)]).environment["HTTP_X_LONG"], "x" * 7000)


class Process(unittest.TestCase):
    def test_descriptors(self):
        """The three, and the one by which the shell reads the script: none of the server's sockets."""
        found = state()
        own = {number: link for number, link in found.descriptors.items() if not link.endswith("/state.sh")}
        self.assertEqual(set(own), {"0", "1", "2"}, own)
        self.assertEqual(own["0"], "/dev/null")
        self.assertRegex(own["1"], "^pipe:")
        self.assertNotIn("socket", " ".join(own.values()))
        found = state(method="POST", body=b"x").descriptors
        self.assertRegex(found["0"], "^(pipe:|/)")

    def test_signals(self):
        found = state().status
        self.assertEqual((int(found["SigBlk"], 16), int(found["SigIgn"], 16)), (0, 0))

    def test_folder_and_arguments(self):
        found = state()
        self.assertEqual(found.folder, str(server.bin))
        self.assertEqual(found.arguments[-1].rpartition("/")[2], "state.sh")

    def test_the_query_is_no_option(self):
        """RFC 3875, section 4.4, would have words of the query as arguments: php-cgi once took them for options."""
        self.assertEqual(len(state("/cgi-bin/state.sh?-s+-d").arguments), len(state().arguments))

    def test_a_group_of_its_own(self):
        found = state()
        pid, fields = found.stat.partition(" (")[0], found.stat.rpartition(")")[2].split()
        self.assertEqual(fields[2], pid, "the process group")
        self.assertNotEqual(fields[2], str(os.getpgid(server.pid)))

    def test_a_server_without_standard_streams(self):
        """What it opens gets their numbers, and must not become a script's."""
        with Server(prefix=["sh", "-c", 'exec "$@" <&- >&-', "sh"]) as bare:
            found = State(fetch(bare, "/cgi-bin/state.sh")).descriptors
            own = {number: link for number, link in found.items() if not link.endswith("/state.sh")}
            self.assertEqual((set(own), own["0"], own["1"][:5]), ({"0", "1", "2"}, "/dev/null", "pipe:"))
            self.assertEqual(fetch(bare, "/cgi-bin/echo.sh", "POST", body=b"abc").body, b"abc")


class Finding(unittest.TestCase):
    def test_a_script_in_a_folder(self):
        text = fetch(server, "/cgi-bin/deeper/inner.sh/more/of/it").text
        self.assertEqual(text, f"/cgi-bin/deeper/inner.sh|/more/of/it|{server.bin}/deeper\n")

    def test_slashes_and_dots_in_the_path(self):
        self.assertEqual(fetch(server, "/cgi-bin/./deeper/../hello.sh").text, "hello\n")
        self.assertEqual(fetch(server, "/cgi-bin/%68ello.sh").text, "hello\n")
        self.assertIn(fetch(server, "/cgi-bin/deeper%2finner.sh").status, (200, 400, 404))

    def test_what_is_no_script(self):
        (server.bin / "fifo").exists() or os.mkfifo(server.bin / "fifo", 0o755)
        for path, statuses in (
            ("missing", (404,)),
            ("", (403, 404)),
            ("deeper", (403, 404)),
            ("deeper/", (403, 404)),
            ("not_executable.sh", (403, 404)),
            ("../root/index.html", (200, 400, 403, 404)),
            ("fifo", (403, 404)),
            ("hello.sh%00", (400, 404)),
            ("hello.sh/../../secret", (400, 404)),
        ):
            with self.subTest(path):
                reply = fetch(server, "/cgi-bin/" + path)
                self.assertIn(reply.status, statuses)
                self.assertNotIn("#!", reply.text)

    def test_a_link_out_of_the_folder_runs_nothing(self):
        link = server.bin / "link.sh"
        if not link.is_symlink():
            link.symlink_to("/bin/true")
        self.assertIn(fetch(server, "/cgi-bin/link.sh").status, (403, 404))

    def test_a_program_that_cannot_be_started(self):
        for name, text in (("no_interpreter", "#!/no/such/interpreter\n"), ("no_format", "\x7fELF nonsense")):
            (server.bin / name).write_text(text)
            (server.bin / name).chmod(0o755)
            reply = fetch(server, "/cgi-bin/" + name)
            self.assertIn(reply.status, (500, 502))
            self.assertNotIn(str(server.bin), reply.text, "where things lie is for the log")
            self.assertIn(name, server.log())
