/* SPDX-License-Identifier: MIT */
/* What the two ways of serving a request, and the two systems, have in common. */
#ifndef SESSION_STORY_H
#define SESSION_STORY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SESSION_FILE "sess_4711"
#define MAX_LINGERING 16

/* One request: what went in, and what came of it. */
struct request {
  int number;
  const char *commands; /* what its helper gets on stdin */
  atomic_bool *give_up; /* the watch is over: do no more work once the lock is there */
  atomic_bool served;   /* set last: what is below is complete then */
  int64_t served_ms;    /* after the start of the request's round */
  int64_t round_began;
  char got[160];    /* the descriptors or handles that its child had */
  int64_t left_pid; /* the process that its child left behind, or 0 */
  char *output;     /* what the helper wrote, to be freed */
  size_t output_length;
  char problem[512]; /* why it was not served, or "" */
};

int64_t now_ms(void);
void sleep_ms(int64_t ms);

/* Reads the session's counter, adds one, writes it back: the work that the lock is for. */
bool count_request(struct request *request);

/* Takes out of the child's stderr what it had, and whom it left behind. */
void read_child_notes(struct request *request, char *notes);

/* ---- Of the system (session_story_unix.c, session_story_win.c). */

/* A request as it is usually served: open, lock, start the helper with everything inherited, close. May block for ever.
 */
void serve_naively(struct request *request);

/* The command line that starts the helper by the shell (Unix), or NULL where argv does. */
const char *helper_command_line(void);
const char *const *helper_argv(void);

/* Makes a folder for the story's files and goes there; goes back and removes it. */
bool enter_story_folder(void);
void leave_story_folder(void);

bool process_runs(int64_t pid);
void end_process(int64_t pid);

/* What of the story cannot be shown on this system, as a line; or NULL. */
const char *not_reproducible(void);

/* When started as its own helper (Windows): true, with the exit status. */
bool play_helper(int argc, char **argv, int *status);

#endif
