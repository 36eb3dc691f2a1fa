/* SPDX-License-Identifier: MIT */
/* A waiting process makes no system call: looked at from outside, with strace. */
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

/* Runs a script of sh; $SAFEHOLD is the command. */
static int script(const char *text) {
  setenv("SAFEHOLD", getenv("SAFEHOLD_COMMAND"), 1);
  return WEXITSTATUS(system(text));
}

static void a_wait_makes_no_system_call(void **state) {
  static const char *const methods[] = {"flock", "ofd"};
  size_t at;
  int status;

  (void)state;
  if (script("strace -f -o try true 2>/dev/null") != 0) {
    print_message("skipped: there is no strace, or it may not trace here\n");
    skip();
  }
  for (at = 0; at < 2; at++) {
    setenv("METHOD", methods[at], 1);
    setenv("ASAN_OPTIONS", "detect_leaks=0", 1); /* LeakSanitizer traces at the exit, and cannot while strace does */
    status = script(
      "\"$SAFEHOLD\" lock --method $METHOD f sh -c 'echo >taken; sleep 4' & while ! test -e taken; do sleep 0.05; "
      "done\n"
      "strace -f -ttt -o trace \"$SAFEHOLD\" lock --method $METHOD -w 3 f true 2>err; status=$?\n"
      "wait; rm taken; cat err; test $status -eq 75 || exit 1\n"
      /* From 0.2 s after the refused try to 0.2 s before the look for the holder, with which the last second begins. */
      "awk '/EAGAIN|EWOULDBLOCK/ && !began { began = $2 }\n"
      "     began && $2 > began + 0.2 && $2 < began + 1.8 { print; calls++ }\n"
      "     END { if (!began) exit 2; exit calls > 0 }' trace || exit 3\n"
      /* And no timer or signal was set up for it. */
      "! grep -E 'setitimer|timer_create|alarm\\(|tgkill' trace");
    if (status != 0) fail_msg("%s: the script ended with %d", methods[at], status);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_wait_makes_no_system_call),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
