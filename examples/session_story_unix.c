/* SPDX-License-Identifier: MIT */
#include "session_story.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* The shell says which descriptors it has, leaves a process behind as many a helper does, and becomes rrdtool. */
static const char command_line[] = "(ls /proc/$$/fd | sort -n >&2)\n"
                                   "sleep 30 </dev/null >/dev/null 2>&1 &\n"
                                   "echo left $! >&2\n"
                                   "exec rrdtool -";

static char story_folder[] = "/tmp/session_story.XXXXXX";
static int home = -1;

const char *helper_command_line(void) { return command_line; }

const char *const *helper_argv(void) { return NULL; }

static char *read_all(int fd, size_t *length) {
  size_t room = 1 << 20;
  char *text = malloc(room + 1);
  ssize_t got;

  *length = 0;
  while (text != NULL && *length < room && (got = read(fd, text + *length, room - *length)) > 0) *length += (size_t)got;
  if (text != NULL) text[*length] = '\0';
  close(fd);
  return text;
}

/* As proc_open and popen do it: three pipes, and whatever else the process has open goes along. */
static pid_t start_helper(int ours[3]) {
  int pipes[3][2], at;
  pid_t child;

  for (at = 0; at < 3; at++)
    if (pipe(pipes[at]) != 0) return -1;
  child = fork();
  if (child == 0) {
    for (at = 0; at < 3; at++) {
      dup2(pipes[at][at == 0 ? 0 : 1], at);
      close(pipes[at][0]);
      close(pipes[at][1]);
    }
    execl("/bin/sh", "sh", "-c", command_line, (char *)NULL);
    _exit(127);
  }
  for (at = 0; at < 3; at++) {
    ours[at] = pipes[at][at == 0 ? 1 : 0];
    close(pipes[at][at == 0 ? 0 : 1]);
  }
  return child;
}

void serve_naively(struct request *request) {
  int ours[3], session = open(SESSION_FILE, O_RDWR | O_CREAT, 0600);
  size_t length = strlen(request->commands), notes_length;
  char *notes;
  pid_t child;

  if (session < 0 || flock(session, LOCK_EX) != 0 || *request->give_up) { /* this is where the others wait for ever */
    close(session);
    return;
  }
  child = start_helper(ours);
  if (child < 0) {
    close(session);
    return;
  }
  if (write(ours[0], request->commands, length) == (ssize_t)length) close(ours[0]);
  request->output = read_all(ours[1], &request->output_length);
  notes = read_all(ours[2], &notes_length);
  waitpid(child, NULL, 0);
  if (notes != NULL) read_child_notes(request, notes);
  free(notes);
  request->served_ms = now_ms() - request->round_began;
  request->served = count_request(request);
  close(session); /* "and that frees the lock" */
}

bool enter_story_folder(void) {
  home = open(".", O_RDONLY | O_CLOEXEC);
  if (home < 0 || mkdtemp(story_folder) == NULL || chdir(story_folder) != 0) {
    perror("session_story");
    return false;
  }
  return true;
}

void leave_story_folder(void) {
  unlink(SESSION_FILE);
  unlink("day.rrd");
  if (fchdir(home) == 0) rmdir(story_folder);
  close(home);
}

/* A zombie whose new parent is slow to reap it does not run any more. */
bool process_runs(int64_t pid) {
  char path[64], state = '?';
  FILE *stat;

  if (kill((pid_t)pid, 0) != 0) return false;
  snprintf(path, sizeof(path), "/proc/%lld/stat", (long long)pid);
  stat = fopen(path, "re");
  if (stat != NULL && fscanf(stat, "%*d (%*[^)]) %c", &state) != 1) state = '?';
  if (stat != NULL) fclose(stat);
  return state != 'Z';
}

void end_process(int64_t pid) { kill((pid_t)pid, SIGKILL); }

const char *not_reproducible(void) { return NULL; }

bool play_helper(int argc, char **argv, int *status) {
  (void)argc;
  (void)argv;
  (void)status;
  return false;
}
