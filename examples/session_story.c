/* SPDX-License-Identifier: MIT */
/*
 * The story that Safehold exists for, on real input.
 *
 * A web server's request threads take the exclusive lock of a session file and, while they hold it, start rrdtool
 * through the shell to draw a graph. The shell also leaves a process behind, as helpers do. First each request is
 * served the usual way: the helper inherits the locked descriptor, and keeps the lock after the request has ended; no
 * later request is ever served. Then the same requests are served with Safehold.
 *
 *   session_story [PICTURE]     leaves the graph in PICTURE, default session_story.png
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "safehold.h"
#include "session_story.h"

#define REQUESTS 4
#define WATCH_MS 2000  /* of the naive way, which would wait for ever */
#define SERVE_MS 20000 /* of Safehold's, which is over as soon as all are served */
#define DAY 86400
#define STEP 300
#define DAY_BEGINS 1700006400 /* 2023-11-15, midnight UTC: the same picture every time */

/* A round: all requests served one way, and what was seen. */
struct round {
  struct request requests[REQUESTS];
  atomic_bool give_up;
  int served_in_watch;
  char after_first[256]; /* who holds the lock once the first request has ended */
  char after_watch[256];
  char left_running[256];
  int64_t counter;
};

int64_t now_ms(void) {
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void sleep_ms(int64_t ms) {
  struct timespec pause = {(time_t)(ms / 1000), (long)(ms % 1000 * 1000000)};

  nanosleep(&pause, NULL);
}

/* A day of a machine's load, one value in five minutes, as a monitoring host would have collected it. */
static char *make_commands(void) {
  const size_t size = 64 * 1024;
  char *text = malloc(size);
  size_t length;
  int at;

  if (text == NULL) return NULL;
  length = (size_t)snprintf(text, size,
                            "create day.rrd --start %d --step %d DS:load:GAUGE:600:0:U RRA:AVERAGE:0.5:1:%d\n"
                            "update day.rrd",
                            DAY_BEGINS, STEP, DAY / STEP);
  for (at = 1; at <= DAY / STEP; at++) {
    int hour = at * STEP / 3600, minute = at % 12;
    int load = 20 + (hour >= 8 && hour < 18 ? 40 + (hour * 7) % 11 : 0) + (minute * 5) % 9;
    length += (size_t)snprintf(text + length, size - length, " %d:%d", DAY_BEGINS + at * STEP, load);
  }
  snprintf(text + length, size - length,
           "\ngraph - --start %d --end %d --width 480 --height 160 --title Load --vertical-label percent "
           "DEF:load=day.rrd:load:AVERAGE AREA:load#4477aa:load\nquit\n",
           DAY_BEGINS, DAY_BEGINS + DAY);
  return text;
}

bool count_request(struct request *request) {
  long counter = 0;
  FILE *file = fopen(SESSION_FILE, "r+b");

  if (file != NULL && fscanf(file, "%ld", &counter) == 1) rewind(file);
  if (file == NULL || fprintf(file, "%ld\n", counter + 1) < 0 || fclose(file) != 0) {
    snprintf(request->problem, sizeof(request->problem), "the session's counter cannot be written");
    return false;
  }
  return true;
}

void read_child_notes(struct request *request, char *notes) {
  char *line;
  size_t length = 0;

  for (line = strtok(notes, "\r\n"); line != NULL; line = strtok(NULL, "\r\n")) {
    if (strncmp(line, "left ", 5) == 0)
      request->left_pid = strtoll(line + 5, NULL, 10);
    else if (length + strlen(line) + 2 < sizeof(request->got))
      length +=
        (size_t)snprintf(request->got + length, sizeof(request->got) - length, "%s%s", length == 0 ? "" : " ", line);
  }
}

/* ---- The picture. rrdtool writes "OK u:0.01 s:0.00 r:0.01" lines before and after it into the same stream. */

static const unsigned char *find_picture(const struct request *request, size_t *size) {
  static const unsigned char signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  const unsigned char *bytes = (const unsigned char *)request->output;
  size_t begin, at, chunk;

  for (begin = 0; begin + 8 <= request->output_length; begin++)
    if (memcmp(bytes + begin, signature, 8) == 0) break;
  for (at = begin + 8; at + 12 <= request->output_length; at += 12 + chunk) {
    chunk = (size_t)bytes[at] << 24 | (size_t)bytes[at + 1] << 16 | (size_t)bytes[at + 2] << 8 | bytes[at + 3];
    if (memcmp(bytes + at + 4, "IEND", 4) == 0) {
      *size = at + 12 - begin;
      return bytes + begin;
    }
  }
  return NULL;
}

static bool has_result(const struct request *request) {
  size_t size;

  if (helper_command_line() == NULL) return request->output != NULL && strstr(request->output, "OK") != NULL;
  return request->output != NULL && find_picture(request, &size) != NULL;
}

/* ---- The Safehold way. */

static bool draw(struct request *request, safe_error *error) {
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_communicate_options talk = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_process *process;
  bool done;

  options.shell = helper_command_line();
  options.argv = helper_argv();
  options.in.kind = options.out.kind = options.err.kind = SAFE_STDIO_PIPE;
  if (safe_spawn(&process, &options, error) != SAFE_OK) return false;
  talk.input = request->commands;
  talk.input_length = strlen(request->commands);
  done = safe_process_communicate(process, &talk, &output, error) == SAFE_OK;
  /* The rest of its process group too: nothing of the request outlives it. */
  done = safe_process_stop(process, NULL, NULL, done ? error : NULL) == SAFE_OK && done;
  safe_process_free(process);
  if (output.err != NULL) read_child_notes(request, output.err);
  request->output = output.out; /* handed over, to be freed with the request */
  request->output_length = output.out_length;
  output.out = NULL;
  safe_output_free(&output);
  return done;
}

static void serve_with_safehold(struct request *request) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_lock *lock;

#if !defined(_WIN32)
  options.method = SAFE_METHOD_FLOCK; /* the lock that the naive way, and PHP, take */
#endif
  if (safe_lock_file(&lock, SESSION_FILE, &options, &error) != SAFE_OK) {
    snprintf(request->problem, sizeof(request->problem), "%s", error.message);
    return;
  }
  if (!draw(request, &error))
    snprintf(request->problem, sizeof(request->problem), "%s", error.message);
  else if (count_request(request)) {
    request->served_ms = now_ms() - request->round_began;
    request->served = true;
  }
  safe_unlock(lock);
}

/* ---- A round. */

static void say_holders(char *text, size_t size) {
  safe_holder_list *list;
  const safe_holder *holder;
  size_t at, length = 0;

  snprintf(text, size, "nobody");
  if (safe_lock_holders(SESSION_FILE, 1000, &list, NULL) != SAFE_OK) return;
  if (safe_holder_list_unknown(list) != NULL) snprintf(text, size, "unknown");
  for (at = 0; (holder = safe_holder_list_get(list, at)) != NULL && length + 1 < size; at++) {
    if (holder->role == SAFE_HOLDER_WAITS) continue;
    length += (size_t)snprintf(text + length, size - length, "%s%s[%" PRId64 "]", length == 0 ? "" : ", ", holder->name,
                               holder->pid);
    if (holder->handle >= 0 && length < size)
      length += (size_t)snprintf(text + length, size - length, " fd %" PRId64, holder->handle);
  }
  safe_holder_list_free(list);
}

typedef void serve_function(struct request *request);

struct job {
  serve_function *serve;
  struct request *request;
};

static void *run_job(void *argument) {
  struct job *job = argument;

  job->serve(job->request);
  return NULL;
}

static int count_served(const struct round *round) {
  int at, count = 0;

  for (at = 0; at < REQUESTS; at++) count += round->requests[at].served;
  return count;
}

/* What outlived its request; ended here, as the requests that wait for its lock would never end otherwise. */
static void end_lingering(struct round *round) {
  size_t length = 0;
  int at;

  snprintf(round->left_running, sizeof(round->left_running), "nothing");
  for (at = 0; at < REQUESTS; at++) {
    int64_t pid = round->requests[at].served ? round->requests[at].left_pid : 0;
    if (pid == 0 || !process_runs(pid)) continue;
    length += (size_t)snprintf(round->left_running + length, sizeof(round->left_running) - length, "%sprocess %" PRId64,
                               length == 0 ? "" : ", ", pid);
    end_process(pid);
  }
}

static bool start_round(struct round *round, const char *commands) {
  FILE *file = fopen(SESSION_FILE, "wb");
  int at;

  memset(round, 0, sizeof(*round));
  for (at = 0; at < REQUESTS; at++) {
    round->requests[at].number = at + 1;
    round->requests[at].commands = commands;
    round->requests[at].give_up = &round->give_up;
  }
  return file != NULL && fputs("0\n", file) >= 0 && fclose(file) == 0;
}

static bool play(struct round *round, serve_function *serve, int64_t watch_ms, const char *commands) {
  struct job jobs[REQUESTS];
  pthread_t threads[REQUESTS];
  int64_t deadline;
  int at;

  if (!start_round(round, commands)) return false;
  for (at = 0; at < REQUESTS; at++) {
    jobs[at] = (struct job){serve, &round->requests[at]};
    round->requests[at].round_began = now_ms();
    if (pthread_create(&threads[at], NULL, run_job, &jobs[at]) != 0) exit(1);
    if (at > 0) continue;
    pthread_join(threads[0], NULL); /* the first has the session for itself, and ends */
    say_holders(round->after_first, sizeof(round->after_first));
  }
  for (deadline = now_ms() + watch_ms; now_ms() < deadline && count_served(round) < REQUESTS;) sleep_ms(5);
  round->served_in_watch = count_served(round);
  say_holders(round->after_watch, sizeof(round->after_watch));
  round->give_up = true;
  end_lingering(round);
  for (at = 1; at < REQUESTS; at++) pthread_join(threads[at], NULL);
  return true;
}

/* ---- The report. */

static void row(const char *step, const char *naive, const char *safehold) {
  printf("%-30s | %-34s | %s\n", step, naive, safehold);
}

static const char *first_request(const struct request *request, char *text, size_t size) {
  if (request->served)
    snprintf(text, size, "after %" PRId64 " ms", request->served_ms);
  else
    snprintf(text, size, "no: %.480s", request->problem);
  return text;
}

static const char *later_requests(const struct round *round, char *text, size_t size) {
  size_t length;
  int at;

  if (round->served_in_watch < REQUESTS) {
    snprintf(text, size, "%d of %d within %d ms", round->served_in_watch - round->requests[0].served, REQUESTS - 1,
             WATCH_MS);
    return text;
  }
  length = (size_t)snprintf(text, size, "after");
  for (at = 1; at < REQUESTS && length < size; at++)
    length +=
      (size_t)snprintf(text + length, size - length, "%s %" PRId64, at == 1 ? "" : ",", round->requests[at].served_ms);
  if (length < size) snprintf(text + length, size - length, " ms");
  return text;
}

static void print_table(const struct round *naive, const struct round *safe) {
  char one[512], other[512];

  row("step", "naive", "Safehold");
  printf("-------------------------------+------------------------------------+----------------------------\n");
  row("request 1 served", first_request(&naive->requests[0], one, sizeof(one)),
      first_request(&safe->requests[0], other, sizeof(other)));
  row("its child had", naive->requests[0].got, safe->requests[0].got);
  row("it left running", naive->left_running, safe->left_running);
  row("the session is then held by", naive->after_first, safe->after_first);
  row("requests 2 to 4 served", later_requests(naive, one, sizeof(one)), later_requests(safe, other, sizeof(other)));
  row("held at the end of the watch", naive->after_watch, safe->after_watch);
  if (not_reproducible() != NULL) printf("%s\n", not_reproducible());
}

static bool write_picture(const struct request *request, const char *path) {
  size_t size = 0;
  const unsigned char *picture = find_picture(request, &size);
  FILE *file;

  if (helper_command_line() == NULL) return true; /* no rrdtool here */
  file = picture == NULL ? NULL : fopen(path, "wb");
  if (file == NULL || fwrite(picture, 1, size, file) != size || fclose(file) != 0) {
    fprintf(stderr, "session_story: %s cannot be written\n", path);
    return false;
  }
  printf("%s: %lu bytes, drawn by rrdtool in request %d\n", path, (unsigned long)size, request->number);
  return true;
}

/* What the story promises of Safehold; of the naive way, that it went wrong as told, where that can be shown. */
static bool check(const struct round *naive, const struct round *safe) {
  char counter[16] = {0};
  FILE *file = fopen(SESSION_FILE, "rb");
  bool right = safe->served_in_watch == REQUESTS;
  int at;

  for (at = 0; at < REQUESTS; at++) {
    const struct request *request = &safe->requests[at];
    if (request->problem[0] != '\0') printf("request %d: %s\n", request->number, request->problem);
    right = right && request->served && has_result(request) && strcmp(request->got, safe->requests[0].got) == 0;
  }
  if (file == NULL || fgets(counter, sizeof(counter), file) == NULL || atoi(counter) != REQUESTS) {
    printf("the session counted %s requests, not %d\n", counter, REQUESTS);
    right = false;
  }
  if (file != NULL) fclose(file);
  right = right && strcmp(safe->left_running, "nothing") == 0;
  right = right && strcmp(safe->requests[0].got, naive->requests[0].got) != 0;
  if (not_reproducible() == NULL) right = right && naive->served_in_watch == 1;
  return right;
}

static void free_round(struct round *round) {
  int at;

  for (at = 0; at < REQUESTS; at++) free(round->requests[at].output);
}

int main(int argc, char **argv) {
  static struct round naive, safe;
  const char *picture = argc > 1 ? argv[1] : "session_story.png";
  char *commands;
  bool right = false;
  int status;

  if (play_helper(argc, argv, &status)) return status;
  commands = make_commands();
  if (commands == NULL || !enter_story_folder()) return 1;
  if (play(&naive, serve_naively, WATCH_MS, commands) && play(&safe, serve_with_safehold, SERVE_MS, commands)) {
    print_table(&naive, &safe);
    right = check(&naive, &safe);
  }
  leave_story_folder();
  right = right && write_picture(&safe.requests[REQUESTS - 1], picture);
  free_round(&naive);
  free_round(&safe);
  free(commands);
  puts(right ? "the story went as told" : "the story did not go as told");
  return right ? 0 : 1;
}
