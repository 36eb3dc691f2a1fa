/* SPDX-License-Identifier: MIT */
/* What the tests of looks share. Included once a program, after nothing else. */
#ifndef SAFEHOLD_TEST_WIN_LOOK_H
#define SAFEHOLD_TEST_WIN_LOOK_H

#include "test_win.h"

#include "look.h"
#include "support.h"
#include "test_win_system.h"

#define A ANYBODY_FROM
#define SOON (safe__os_now() + slow(5000) * SAFE__MS)
#define WAITS 5 /* states and reasons of threads */
#define RUNS 2
#define EXECUTIVE 0
#define PAGE_IN 2
#define DELAY 4
#define SUSPENDED 5
#define USER_REQUEST 6
#define QUEUE 15

static char path[1024];
static struct safe__scene scene;

static inline int set_up(void **state) {
  (void)state;
  system_start();
  safe__scene_init(&scene);
  return 0;
}

/* A busy machine may have left behind what comes back by itself. */
static inline int tear_down(void **state) {
  int code = safe_shutdown(slow(5000));

  (void)state;
  safe__scene_free(&scene);
  system_stop();
  return code == SAFE_OK && system_sessions() == 0 ? 0 : -1;
}

static inline safe_holder_list *holders(int64_t timeout_ms) {
  safe_holder_list *list = NULL;
  safe_error error = SAFE_ERROR_INIT;
  int code = safe_lock_holders(path, timeout_ms, &list, &error);

  if (code != SAFE_OK) fail_msg("%s", error.message);
  return list;
}

static inline const safe_holder *opener(const safe_holder_list *list, int64_t pid) {
  size_t at;

  for (at = 0; at < safe_holder_list_count(list); at++) {
    const safe_holder *holder = safe_holder_list_get(list, at);
    if (holder->pid == pid && holder->role == SAFE_HOLDER_OPENS) return holder;
  }
  return NULL;
}

static inline bool is_unknown(const char *words) {
  size_t at;

  for (at = 0; at < scene.unknown_count; at++)
    if (strstr(scene.unknown[at], words) != NULL) return true;
  return false;
}

static inline const struct safe__actor *look_at(int64_t pid) {
  const struct safe__actor *actor;

  safe__os_look_process(&scene, pid, SOON);
  actor = safe__scene_find_actor(&scene, pid);
  assert_non_null(actor);
  return actor;
}

static inline const struct safe__want *want_of(int64_t thread) {
  size_t at;

  for (at = 0; at < scene.want_count; at++)
    if (scene.wants[at].thread == thread) return &scene.wants[at];
  return NULL;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
