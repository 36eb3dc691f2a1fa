/* SPDX-License-Identifier: MIT */
/*
 * The judge against another one that is too slow to be used: among all sets of processes those are closed to which
 * nobody has to be added who could go on if they could; who can go on is what all closed sets have in common. The seed
 * is printed, and can be set (SAFEHOLD_TEST_SEED).
 */
#include "play_scene.h"

#define MOST 6 /* processes, with the numbers 1 to 6 */
#define SCENES 2000

static struct safe__scene scene;
static unsigned seed;

static unsigned draw(unsigned below) {
  seed = seed * 1103515245u + 12345u;
  return (seed >> 16) % below;
}

/* ---- A scene. */

static void add_heir(int32_t file, safe_holder heir, int64_t pid) {
  heir.pid = pid;
  heir.via = SAFE_VIA_INHERITED;
  assert_true(safe__holder_add(&scene.objects[file].holders, &heir));
}

static void make_holders(int32_t file, int count) {
  static const int32_t methods[] = {SAFE_METHOD_FLOCK, SAFE_METHOD_OFD, SAFE_METHOD_POSIX, -1};
  unsigned locks = draw(4);

  while (locks-- > 0) {
    safe_holder *holder = play_lock(&scene, file, 1 + draw((unsigned)count), methods[draw(4)],
                                    draw(3) == 0 ? SAFE_VIA_INHERITED : SAFE_VIA_LOCKED);
    if (draw(2) == 0) holder->mode = SAFE_LOCK_SHARED;
    if (draw(4) == 0) holder->length = 10;
    if (draw(4) == 0) holder->offset = 10;
    if (draw(8) == 0) holder->role = SAFE_HOLDER_OPENS;
    if (draw(2) == 0) add_heir(file, *holder, 1 + draw((unsigned)count));
  }
}

static void make_want(int64_t pid, int count) {
  static const int32_t kinds[] = {SAFE_WAITS_LOCK,  SAFE_WAITS_LOCK,     SAFE_WAITS_LOCK,   SAFE_WAITS_CHILD,
                                  SAFE_WAITS_CHILD, SAFE_WAITS_INPUT,    SAFE_WAITS_INPUT,  SAFE_WAITS_ROOM,
                                  SAFE_WAITS_NOT,   SAFE_WAITS_CONTINUE, SAFE_WAITS_KERNEL, SAFE_WAITS_OTHER};
  int32_t waits = kinds[draw(12)];
  struct safe__want *want;

  if (waits == SAFE_WAITS_LOCK && draw(2) == 0) {
    want = play_lock_want(&scene, pid, (int32_t)draw(2), draw(2) == 0 ? SAFE_METHOD_FLOCK : SAFE_METHOD_OFD);
    if (draw(3) == 0)
      scene.objects[want->object].holders.items[scene.objects[want->object].holders.count - 1].length = 10;
  } else {
    want = play_want(&scene, pid, waits);
    if (waits == SAFE_WAITS_LOCK) want->object = (int32_t)draw(2);
    if (waits == SAFE_WAITS_INPUT || waits == SAFE_WAITS_ROOM) want->object = 2 + (int32_t)draw(2);
    if (waits == SAFE_WAITS_CHILD) want->other = draw(3) == 0 ? SAFE__ANY_CHILD : 1 + (int64_t)draw((unsigned)count);
  }
  if (draw(4) == 0) want->mode = SAFE_LOCK_SHARED;
  if (draw(12) == 0) want->limit_ms = 100;
  if (draw(6) == 0) want->thread = 100 + pid;
  if (draw(10) == 0) want->thread = 0;
  if (waits != SAFE_WAITS_OTHER || want->thread == 0 || want->limit_ms >= 0 || draw(3) == 0) return;
  want->other = pid;
  want->within = true;
}

static int make_scene(void) {
  int count = 2 + (int)draw(MOST - 1), at;
  unsigned wants;

  safe__scene_init(&scene);
  play_file(&scene, "/one");
  play_file(&scene, "/other");
  play_pipe(&scene);
  play_pipe(&scene);
  for (at = 1; at <= count; at++)
    play_actor(&scene, at, "p", draw(10) == 0 ? 'Z' : 'S', at > 1 ? draw((unsigned)at) : 0)->gone = draw(20) == 0;
  make_holders(0, count);
  make_holders(1, count);
  for (at = 0; at < 6; at++)
    play_holder(&scene, 2 + at % 2, 1 + draw((unsigned)count), draw(2) == 0 ? SAFE__END_READS : SAFE__END_WRITES);
  for (at = 1; at <= count; at++)
    for (wants = scene.actors[at - 1].state == 'Z' ? draw(2) : 1 + draw(2); wants > 0; wants--) make_want(at, count);
  return count;
}

/* ---- The other judge. Sets are bits: 1 << pid. */

static bool in(unsigned set, int64_t pid) { return (set >> pid & 1) != 0; }

/* A leader that has ended while other threads of it wait is not over. */
static bool is_over(int64_t pid) {
  const struct safe__actor *actor = safe__scene_find_actor(&scene, pid);
  size_t at;

  if (actor->gone) return true;
  for (at = 0; at < scene.want_count; at++)
    if (scene.wants[at].pid == pid) return false; /* none of them is for being reaped */
  return actor->state == 'Z';
}

static bool below(int64_t pid, int64_t above) {
  while (pid != 0 && pid != above) pid = safe__scene_find_actor(&scene, pid)->parent;
  return pid == above;
}

static bool same_lock(const safe_holder *one, const safe_holder *other) {
  return other->role == SAFE_HOLDER_HOLDS && one->method == other->method && one->mode == other->mode &&
         one->offset == other->offset && one->length == other->length;
}

/* Whose description it is: the first in the list that asked, of those from whom this one may have it. */
static const safe_holder *source(const safe_holder_list *list, const safe_holder *holder) {
  size_t at;
  int asked;

  for (asked = 1; asked >= 0; asked--)
    for (at = 0; at < list->count; at++) {
      const safe_holder *other = &list->items[at];
      bool related = other->pid == holder->pid;
      if (!same_lock(holder, other) || (other->via == SAFE_VIA_LOCKED) != (asked == 1)) continue;
      if (holder->method != SAFE_METHOD_POSIX && holder->mode == SAFE_LOCK_EXCLUSIVE) related = true;
      if (holder->method != SAFE_METHOD_POSIX && asked == 1 && holder->via == SAFE_VIA_INHERITED)
        related = related || below(holder->pid, other->pid);
      if (related) return other;
    }
  return holder;
}

static bool lets_go(const safe_holder_list *list, const safe_holder *holder, unsigned set) {
  bool asked = false, all = true;
  size_t at;

  for (at = 0; at < list->count; at++) {
    const safe_holder *other = &list->items[at];
    if (other->role != SAFE_HOLDER_HOLDS || is_over(other->pid) || source(list, other) != source(list, holder))
      continue;
    if (other->via == SAFE_VIA_LOCKED && in(set, other->pid)) return true;
    asked = asked || other->via == SAFE_VIA_LOCKED;
    all = all && in(set, other->pid);
  }
  return !asked && all;
}

static bool is_its_own(const safe_holder_list *list, int64_t pid, const safe_holder *holder) {
  size_t at;

  for (at = 0; at < list->count; at++)
    if (list->items[at].pid == pid && list->items[at].role == SAFE_HOLDER_HOLDS &&
        source(list, &list->items[at]) == source(list, holder))
      return true;
  return false;
}

static bool meets(const safe_holder_list *list, const struct safe__want *want, const safe_holder *holder) {
  bool record = (want->method == SAFE_METHOD_OFD || want->method == SAFE_METHOD_POSIX) &&
                (holder->method == SAFE_METHOD_OFD || holder->method == SAFE_METHOD_POSIX);
  bool known = false, touches = false;
  size_t at;

  if (holder->pid == want->pid || is_over(holder->pid) || holder->role == SAFE_HOLDER_WAITS) return false;
  if (want->mode == SAFE_LOCK_SHARED && holder->mode == SAFE_LOCK_SHARED) return false;
  if (want->method != holder->method && want->method != -1 && holder->method != -1 && !record) return false;
  for (at = 0; at < list->count; at++) {
    const safe_holder *own = &list->items[at];
    int64_t own_end = own->length == 0 ? INT64_MAX : own->offset + own->length;
    int64_t end = holder->length == 0 ? INT64_MAX : holder->offset + holder->length;
    if (own->role != SAFE_HOLDER_WAITS || own->pid != want->pid) continue;
    known = true;
    if (own->offset < end && holder->offset < own_end) touches = true;
  }
  if (holder->role == SAFE_HOLDER_HOLDS && is_its_own(list, want->pid, holder)) return false;
  return touches || !known;
}

static bool lock_comes(const struct safe__want *want, unsigned set) {
  const safe_holder_list *list = &scene.objects[want->object].holders;
  bool held = false, open = false, goes = false;
  size_t at;

  for (at = 0; at < list->count; at++) {
    const safe_holder *holder = &list->items[at];
    if (!meets(list, want, holder)) continue;
    if (holder->role == SAFE_HOLDER_HOLDS && !lets_go(list, holder, set)) return false;
    if (holder->role == SAFE_HOLDER_HOLDS) held = true;
    if (holder->role == SAFE_HOLDER_OPENS) open = true;
    if (holder->role == SAFE_HOLDER_OPENS && in(set, holder->pid)) goes = true;
  }
  return held || !open || goes;
}

static bool comes(const struct safe__want *want, unsigned set) {
  int32_t role = want->waits == SAFE_WAITS_INPUT ? SAFE__END_WRITES : SAFE__END_READS;
  bool some = false, one = false;
  size_t at;

  if (want->within) return in(set, want->pid);
  if (want->limit_ms >= 0 || want->waits == SAFE_WAITS_NOT || want->waits == SAFE_WAITS_OTHER) return true;
  if (want->waits == SAFE_WAITS_LOCK) return lock_comes(want, set);
  if (want->waits == SAFE_WAITS_CHILD && want->other > 0) return in(set, want->other);
  if (want->waits == SAFE_WAITS_CHILD) {
    for (at = 0; at < scene.actor_count; at++) {
      if (scene.actors[at].parent != want->pid || scene.actors[at].gone) continue;
      some = true;
      one = one || in(set, scene.actors[at].pid);
    }
    return one || !some;
  }
  if (want->waits != SAFE_WAITS_INPUT && want->waits != SAFE_WAITS_ROOM) return false;
  for (at = 0; at < scene.objects[want->object].holders.count; at++) {
    const safe_holder *end = &scene.objects[want->object].holders.items[at];
    if (end->role != role || is_over(end->pid)) continue;
    some = true;
    one = one || in(set, end->pid);
  }
  return one || !some;
}

static bool goes(int64_t pid, unsigned set) {
  bool all = true, one = true, all_comes = false, one_comes = false;
  size_t at;

  if (is_over(pid)) return true;
  for (at = 0; at < scene.want_count; at++) {
    const struct safe__want *want = &scene.wants[at];
    if (want->pid != pid || want->within) continue; /* by itself it neither helps nor hinders */
    if (want->thread == 0) {
      all = false;
      all_comes = all_comes || comes(want, set);
    } else {
      one = false;
      one_comes = one_comes || comes(want, set);
    }
  }
  return (all || all_comes) && (one || one_comes);
}

static unsigned least(int count) {
  unsigned set, common = ~0u;
  int pid;

  for (set = 0; set < 1u << (count + 1); set += 2) {
    for (pid = 1; pid <= count; pid++)
      if (!in(set, pid) && goes(pid, set)) break;
    if (pid > count) common &= set;
  }
  return common;
}

/* ---- Circles: who waits for whom, all ways. */

/* Whoever asked for a lock is waited for, and no heir, unless all that asked are over. */
static bool keeps(const safe_holder_list *list, const safe_holder *holder, unsigned set) {
  size_t at;

  if (holder->role != SAFE_HOLDER_HOLDS || lets_go(list, holder, set)) return false;
  for (at = 0; at < list->count && holder->via != SAFE_VIA_LOCKED; at++)
    if (list->items[at].via == SAFE_VIA_LOCKED && list->items[at].role == SAFE_HOLDER_HOLDS &&
        !is_over(list->items[at].pid) && source(list, &list->items[at]) == source(list, holder))
      return false;
  return true;
}

static bool waits_by(const struct safe__want *want, int64_t other, unsigned set) {
  const safe_holder_list *list = want->object >= 0 ? &scene.objects[want->object].holders : NULL;
  bool held = false;
  size_t at;

  if (comes(want, set)) return false;
  if (want->waits == SAFE_WAITS_CHILD)
    return want->other == other ||
           (want->other == SAFE__ANY_CHILD && safe__scene_find_actor(&scene, other)->parent == want->pid);
  for (at = 0; list != NULL && at < list->count; at++)
    held = held || (list->items[at].role == SAFE_HOLDER_HOLDS && meets(list, want, &list->items[at]));
  for (at = 0; list != NULL && at < list->count; at++) {
    const safe_holder *holder = &list->items[at];
    if (holder->pid != other || is_over(other)) continue;
    if (want->waits == SAFE_WAITS_INPUT && holder->role == SAFE__END_WRITES) return true;
    if (want->waits == SAFE_WAITS_ROOM && holder->role == SAFE__END_READS) return true;
    if (want->waits != SAFE_WAITS_LOCK || !meets(list, want, holder)) continue;
    if (holder->role == SAFE_HOLDER_OPENS ? !held : keeps(list, holder, set)) return true;
  }
  return false;
}

static bool waits_for(int64_t pid, int64_t other, unsigned set) {
  size_t at;

  if (in(set, pid) || in(set, other) || pid == other) return false;
  for (at = 0; at < scene.want_count; at++)
    if (scene.wants[at].pid == pid && waits_by(&scene.wants[at], other, set)) return true;
  return false;
}

static void check_circle(const struct safe__judgement *judgement, unsigned set) {
  size_t at;

  for (at = 0; at < judgement->cycle_count; at++) {
    const struct safe__want *want = &scene.wants[judgement->cycle[at]];
    const struct safe__want *next = &scene.wants[judgement->cycle[(at + 1) % judgement->cycle_count]];
    assert_false(comes(want, set));
    assert_true(waits_for(want->pid, next->pid, set));
  }
}

static bool reaches(int64_t from, int64_t to, int count, unsigned set) {
  bool way[MOST + 1][MOST + 1];
  int one, other, over_it;

  for (one = 1; one <= count; one++)
    for (other = 1; other <= count; other++) way[one][other] = waits_for(one, other, set);
  for (over_it = 1; over_it <= count; over_it++)
    for (one = 1; one <= count; one++)
      for (other = 1; other <= count; other++)
        way[one][other] = way[one][other] || (way[one][over_it] && way[over_it][other]);
  return way[from][to];
}

static bool leads_to_a_circle(int64_t pid, int count, unsigned set) {
  int64_t other;

  for (other = 1; other <= count; other++)
    if (reaches(other, other, count, set) && (other == pid || reaches(pid, other, count, set))) return true;
  return false;
}

static void check_process(int64_t pid, int count, unsigned set) {
  struct safe__question question = {-1, pid};
  struct safe__judgement judgement;

  assert_true(safe__judge(&scene, &question, 0, &judgement));
  check_circle(&judgement, set);
  if (!in(set, pid))
    assert_int_equal(judgement.verdict, leads_to_a_circle(pid, count, set) ? SAFE_VERDICT_CYCLE : SAFE_VERDICT_STUCK);
  else if (!is_over(pid))
    assert_true(judgement.verdict == SAFE_VERDICT_FREE || judgement.verdict == SAFE_VERDICT_HELD);
  safe__judgement_free(&judgement);
}

static void check_file(int32_t file, unsigned set) {
  const safe_holder_list *list = &scene.objects[file].holders;
  struct safe__question question = {file, 0};
  struct safe__judgement judgement;
  bool held = false, kept = false;
  char *text;
  size_t at;

  assert_true(safe__judge(&scene, &question, 0, &judgement));
  check_circle(&judgement, set);
  for (at = 0; at < list->count; at++) {
    if (list->items[at].role != SAFE_HOLDER_HOLDS || is_over(list->items[at].pid)) continue;
    held = true;
    kept = kept || !lets_go(list, &list->items[at], set);
  }
  assert_int_equal(judgement.verdict == SAFE_VERDICT_CYCLE || judgement.verdict == SAFE_VERDICT_STUCK, kept);
  assert_int_equal(judgement.verdict == SAFE_VERDICT_HELD, held && !kept);
  assert_int_equal(judgement.verdict == SAFE_VERDICT_FREE, list->count == 0);
  text = safe__explain_text(&judgement, &question);
  assert_non_null(text);
  assert_int_equal(text[strlen(text) - 1], '\n');
  safe__free(text);
  safe__judgement_free(&judgement);
}

static void random_scenes(void **state) {
  int round, count, pid, free_ones = 0, stuck = 0;
  unsigned set, first = seed;

  (void)state;
  for (round = 0; round < SCENES; round++) {
    count = make_scene();
    set = least(count);
    for (pid = 1; pid <= count; pid++) {
      check_process(pid, count, set);
      if (in(set, pid))
        free_ones++;
      else
        stuck++;
    }
    check_file(0, set);
    check_file(1, set);
    safe__scene_free(&scene);
  }
  print_message("seed %u: %d processes can go on, %d cannot\n", first, free_ones, stuck);
  assert_true(free_ones > SCENES / 2 && stuck > SCENES / 2); /* else the scenes show nothing */
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(random_scenes)};
  const char *set = getenv("SAFEHOLD_TEST_SEED");

  seed = set != NULL ? (unsigned)strtoul(set, NULL, 10) : (unsigned)now_ms();
  print_message("seed %u\n", seed);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
