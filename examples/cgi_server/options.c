/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "parser.h"
#include "safehold.h"
#include "server.h"

static const char help[] =
  "usage: cgi_server [--root DIR] [--cgi-bin DIR] [OPTION...]\n"
  "Serves files and CGI scripts over HTTP/1.1 in the foreground, until SIGTERM or SIGINT.\n"
  "\n"
  "  --root DIR           files, at /\n"
  "  --cgi-bin DIR        scripts, at /cgi-bin/\n"
  "  --host ADDRESS       where to listen; default 127.0.0.1\n"
  "  --port N             default 8080; 0 = any that is free. The log says which\n"
  "  --jobs N             scripts that may run at a time; default 8 for each processor\n"
  "  --queue N            requests that may wait for one of these places; default 8 for each of them.\n"
  "                       Beyond it the answer is 503 with Retry-After\n"
  "  --timeout S          time limit of a script, waiting for its place included; default 60\n"
  "  --grace S            between asking a script to end and ending it; default 2\n"
  "  --memory BYTES       memory limit of a script; default none\n"
  "  --max-body BYTES     limit of a request's body; default 1G, 0 = none\n"
  "  --max-output BYTES   limit of a script's output; default none\n"
  "  --whole-tree         end also daemons that a script has left, wherever they are\n"
  "  --env NAME=VALUE     for the environment of every script; may be repeated\n"
  "  --client-timeout S   for a client that sends or takes nothing; default 30\n"
  "  --keep-alive S       for a connection without a request; default 15\n"
  "  --shutdown S         for what runs when the server is asked to end; default 10\n"
  "  --threads N          loops, each in a thread of its own; default 2 for each processor, as a loop waits\n"
  "                       while a script that it starts is loaded\n"
  "  --log FILE           default stderr\n"
  "  --help, --version\n"
  "\n"
  "Times may have fractions; BYTES may end with K, M or G. The state is shown to local clients at /-/status.\n";

enum { SPARE_ENVIRONMENT = 64 };

static int complain(const char *format, const char *what) {
  fprintf(stderr, "cgi_server: ");
  fprintf(stderr, format, what);
  fprintf(stderr, "\n");
  return 2;
}

static bool read_number(const char *text, int64_t least, int64_t most, int64_t *value) {
  char *end;

  errno = 0;
  *value = strtoll(text, &end, 10);
  return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *value >= least && *value <= most;
}

static bool read_seconds(const char *text, int64_t *ms) {
  char *end;
  double seconds = strtod(text, &end);

  if (text[0] < '0' || text[0] > '9' || *end != '\0' || !(seconds <= 1e9)) return false;
  *ms = (int64_t)(seconds * 1000);
  return true;
}

static bool read_bytes(const char *text, int64_t *bytes) {
  static const char suffixes[] = "KMG";
  char *end;
  const char *suffix;
  int64_t value;

  errno = 0;
  value = strtoll(text, &end, 10);
  if (text[0] < '0' || text[0] > '9' || errno != 0 || value > INT64_MAX >> 30) return false;
  suffix = *end == '\0' ? NULL : strchr(suffixes, *end);
  if (*end != '\0' && (suffix == NULL || end[1] != '\0')) return false;
  *bytes = suffix == NULL ? value : value << (10 * (suffix - suffixes + 1));
  return true;
}

static int add_environment(struct options *options, const char *text) {
  const char *equals = strchr(text, '=');
  size_t count = 0;

  if (equals == NULL || equals == text) return complain("--env takes NAME=VALUE, and not %s", text);
  while (options->env[count] != NULL && strncmp(options->env[count], text, (size_t)(equals - text) + 1) != 0) count++;
  if (count == SPARE_ENVIRONMENT) return complain("--env %s is one too many", text);
  options->env[count] = text;
  return -1;
}

static int read_folder(const char *text, const char **folder) {
  static const char missing[] = "%s is no folder";
  char *path = realpath(text, NULL);
  uv_fs_t look;
  bool is_folder;

  if (path == NULL) return complain(missing, text);
  is_folder = uv_fs_stat(NULL, &look, path, NULL) == 0 && (look.statbuf.st_mode & S_IFMT) == S_IFDIR;
  uv_fs_req_cleanup(&look);
  if (!is_folder) {
    free(path);
    return complain(missing, text);
  }
  *folder = path;
  return -1;
}

static void set_defaults(struct options *options) {
  static const char *environment[SPARE_ENVIRONMENT + 1];

  memset(options, 0, sizeof(*options));
  options->host = "127.0.0.1";
  options->port = 8080;
  options->jobs = options->queue = -1;
  options->timeout_ms = 60000;
  options->grace_ms = 2000;
  options->client_ms = 30000;
  options->keep_alive_ms = 15000;
  options->shutdown_ms = 10000;
  options->max_body = INT64_C(1) << 30;
  options->env = environment;
}

static void set_rest(struct options *options) {
  int processors = (int)uv_available_parallelism();

  if (options->threads == 0) options->threads = processors < 16 ? 2 * processors : 32;
  if (options->jobs < 0) options->jobs = 8 * processors;
  if (options->queue < 0) options->queue = 8 * options->jobs;
}

static const struct option names[] = {
  {"root", required_argument, NULL, 'r'},
  {"cgi-bin", required_argument, NULL, 'c'},
  {"host", required_argument, NULL, 'h'},
  {"port", required_argument, NULL, 'p'},
  {"jobs", required_argument, NULL, 'j'},
  {"queue", required_argument, NULL, 'q'},
  {"timeout", required_argument, NULL, 't'},
  {"grace", required_argument, NULL, 'g'},
  {"memory", required_argument, NULL, 'm'},
  {"max-body", required_argument, NULL, 'b'},
  {"max-output", required_argument, NULL, 'o'},
  {"whole-tree", no_argument, NULL, 'w'},
  {"env", required_argument, NULL, 'e'},
  {"client-timeout", required_argument, NULL, 'C'},
  {"keep-alive", required_argument, NULL, 'k'},
  {"shutdown", required_argument, NULL, 's'},
  {"threads", required_argument, NULL, 'T'},
  {"log", required_argument, NULL, 'l'},
  {"help", no_argument, NULL, 'H'},
  {"version", no_argument, NULL, 'V'},
  {NULL, 0, NULL, 0},
};

/* -1: it was read. */
static int read_one(struct options *options, int which, const char *text) {
  static const char bad[] = "%s is no such number, time or size";
  int64_t number = 0;
  bool good = true;

  switch (which) {
  case 'r':
    return read_folder(text, &options->root);
  case 'c':
    return read_folder(text, &options->cgi_bin);
  case 'e':
    return add_environment(options, text);
  case 'h':
    options->host = text;
    break;
  case 'l':
    options->log = text;
    break;
  case 'w':
    options->whole_tree = true;
    break;
  case 'p':
    good = read_number(text, 0, 65535, &number), options->port = (int)number;
    break;
  case 'j':
    good = read_number(text, 1, 100000, &number), options->jobs = (int)number;
    break;
  case 'q':
    good = read_number(text, 0, 1000000, &number), options->queue = (int)number;
    break;
  case 'T':
    good = read_number(text, 1, 256, &number), options->threads = (int)number;
    break;
  case 't':
    good = read_seconds(text, &options->timeout_ms) && options->timeout_ms > 0;
    break;
  case 'g':
    good = read_seconds(text, &options->grace_ms);
    break;
  case 'C':
    good = read_seconds(text, &options->client_ms) && options->client_ms > 0;
    break;
  case 'k':
    good = read_seconds(text, &options->keep_alive_ms) && options->keep_alive_ms > 0;
    break;
  case 's':
    good = read_seconds(text, &options->shutdown_ms);
    break;
  case 'm':
    good = read_bytes(text, &options->memory);
    break;
  case 'b':
    good = read_bytes(text, &options->max_body);
    break;
  case 'o':
    good = read_bytes(text, &options->max_output);
    break;
  case 'H':
    return fputs(help, stdout) < 0;
  case 'V':
    return printf("cgi_server of safehold %s, libuv %s, %s\n", safe_version(), uv_version_string(), parser_name()) < 0;
  default:
    return 2; /* getopt_long has said what is wrong */
  }
  return good ? -1 : complain(bad, text);
}

int options_read(struct options *options, int count, char **arguments) {
  int which, code;

  set_defaults(options);
  while ((which = getopt_long(count, arguments, "", names, NULL)) != -1)
    if ((code = read_one(options, which, optarg)) >= 0) return code;
  if (optind < count) return complain("%s is one argument too many", arguments[optind]);
  if (options->root == NULL && options->cgi_bin == NULL)
    return complain("there is nothing to serve: %s", "give --root, --cgi-bin or both");
  set_rest(options);
  return -1;
}
