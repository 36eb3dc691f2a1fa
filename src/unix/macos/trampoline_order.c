/* SPDX-License-Identifier: MIT */
/* The trampoline's arguments: its name, the version, numbers in decimal, strings as they are, and at last the program's
   own environment and arguments. The trampoline itself has no environment: what the loader does at a variable's bidding
   must not be done with the host's rights for a child that is to have less. What is written and what is read follow the
   same order; a change of one is a change of the other. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trampoline.h"

#define DIGITS 24 /* of a number, with sign and NUL */
#define FIXED 20  /* more than there are that are in no list */

/* ---- Writing. */

struct writer {
  char **argv, *text;
  size_t count;
};

static void put_string(struct writer *writer, const char *string) {
  writer->argv[writer->count++] = (char *)(uintptr_t)string;
}

static void put(struct writer *writer, int64_t number) {
  snprintf(writer->text, DIGITS, "%lld", (long long)number);
  put_string(writer, writer->text);
  writer->text += DIGITS;
}

static void put_optional(struct writer *writer, const char *string) {
  put(writer, string != NULL);
  if (string != NULL) put_string(writer, string);
}

static size_t count_strings(char *const *strings) {
  size_t count = 0;

  while (strings[count] != NULL) count++;
  return count;
}

static void put_strings(struct writer *writer, char *const *strings) {
  put(writer, (int64_t)count_strings(strings));
  for (; *strings != NULL; strings++) put_string(writer, *strings);
}

static void put_moves(struct writer *writer, const struct safe__plan *plan) {
  const struct safe__move *move;
  int at;

  put(writer, plan->move_count);
  for (at = 0; at < plan->move_count; at++) {
    move = &plan->moves[at];
    put(writer, move->target);
    put(writer, move->stage);
    put(writer, move->index);
    put(writer, move->open_flags);
    put(writer, move->mode);
    put_optional(writer, move->path);
  }
}

static void put_lists(struct writer *writer, const struct safe__plan *plan) {
  size_t at;

  put(writer, plan->limit_count);
  for (at = 0; at < (size_t)plan->limit_count; at++) {
    put(writer, plan->limits[at].kind);
    put(writer, plan->limits[at].value);
  }
  put(writer, (int64_t)plan->group_count);
  for (at = 0; at < plan->group_count; at++) put(writer, plan->groups[at]);
  put_strings(writer, plan->candidates);
  put_strings(writer, plan->envp);
}

char **safe__trampoline_arguments(const struct safe__plan *plan, int error_fd) {
  size_t numbers = FIXED + (size_t)plan->move_count * 6 + (size_t)plan->limit_count * 2 + plan->group_count;
  size_t strings = numbers + (size_t)plan->move_count + count_strings(plan->candidates) + count_strings(plan->envp) +
                   count_strings(plan->argv) + FIXED;
  struct writer writer = {NULL, NULL, 0};
  size_t at;

  writer.argv = safe__alloc(strings * sizeof(*writer.argv) + numbers * DIGITS);
  if (writer.argv == NULL) return NULL;
  writer.text = (char *)(writer.argv + strings);
  put_string(&writer, SAFE__TRAMPOLINE);
  put_string(&writer, SAFE_VERSION_STRING);
  put(&writer, error_fd);
  put(&writer, plan->flags);
  put(&writer, plan->group);
  put(&writer, plan->terminal);
  put(&writer, plan->changes_user);
  put(&writer, plan->sets_groups);
  put(&writer, plan->uid);
  put(&writer, plan->gid);
  put(&writer, plan->umask);
  put(&writer, plan->nice);
  put_optional(&writer, plan->cwd);
  put_moves(&writer, plan);
  put_lists(&writer, plan);
  for (at = 0; plan->argv[at] != NULL; at++) put_string(&writer, plan->argv[at]);
  return writer.argv;
}

/* ---- Reading. Nothing here comes from a stranger, but a list must not be longer than what is left. */

struct reader {
  char **argv;
  int argc, next;
  bool failed;
};

static char *take_string(struct reader *reader) {
  if (reader->next < reader->argc) return reader->argv[reader->next++];
  reader->failed = true;
  return reader->argv[0];
}

static int64_t take(struct reader *reader) { return strtoll(take_string(reader), NULL, 10); }

static char *take_optional(struct reader *reader) { return take(reader) != 0 ? take_string(reader) : NULL; }

/* The length of a list, and room for it and one more. */
static size_t take_list(struct reader *reader, void *list, size_t size) {
  int64_t count = take(reader);
  void *room = NULL;

  if (count < 0 || count > reader->argc - reader->next) reader->failed = true;
  if (!reader->failed) room = safe__alloc(((size_t)count + 1) * size);
  if (room == NULL) reader->failed = true;
  memcpy(list, &room, sizeof(room));
  return reader->failed ? 0 : (size_t)count;
}

static void take_strings(struct reader *reader, char ***strings) {
  size_t at, count = take_list(reader, strings, sizeof(**strings));

  for (at = 0; at < count; at++) (*strings)[at] = take_string(reader);
}

/* posix_spawn has put in place what is not to be opened. */
static void take_moves(struct reader *reader, struct safe__plan *plan) {
  struct safe__move *move;
  int at;

  plan->move_count = (int)take_list(reader, &plan->moves, sizeof(*plan->moves));
  for (at = 0; at < plan->move_count; at++) {
    move = &plan->moves[at];
    move->target = (int)take(reader);
    move->stage = (int)take(reader);
    move->index = (int)take(reader);
    move->open_flags = (int)take(reader);
    move->mode = (unsigned)take(reader);
    move->path = take_optional(reader);
    move->cleared = move->path == NULL && move->open_flags != SAFE__LIKE_OUT;
    move->source = move->cleared ? move->target : -1;
  }
}

static void take_lists(struct reader *reader, struct safe__plan *plan) {
  safe_limit *limits;
  uint32_t *groups;
  size_t at;

  plan->limit_count = (int)take_list(reader, &limits, sizeof(*limits));
  for (at = 0; at < (size_t)plan->limit_count; at++) {
    limits[at].kind = (int32_t)take(reader);
    limits[at].value = take(reader);
  }
  plan->limits = limits;
  plan->group_count = take_list(reader, &groups, sizeof(*groups));
  for (at = 0; at < plan->group_count; at++) groups[at] = (uint32_t)take(reader);
  plan->groups = groups;
  take_strings(reader, &plan->candidates);
  take_strings(reader, &plan->envp);
}

struct safe__plan *safe__trampoline_plan(int argc, char **argv) {
  struct reader reader = {argv, argc, 1, false};
  struct safe__plan *plan;

  if (argc < 4 || strcmp(take_string(&reader), SAFE_VERSION_STRING) != 0) return NULL;
  plan = safe__alloc(sizeof(*plan));
  if (plan == NULL) return NULL;
  plan->error_fd = (int)take(&reader);
  plan->flags = (uint32_t)take(&reader);
  plan->group = (int)take(&reader);
  plan->terminal = (int)take(&reader);
  plan->changes_user = take(&reader) != 0;
  plan->sets_groups = take(&reader) != 0;
  plan->uid = take(&reader);
  plan->gid = take(&reader);
  plan->umask = (int)take(&reader);
  plan->nice = (int)take(&reader);
  plan->cwd = take_optional(&reader);
  take_moves(&reader, plan);
  take_lists(&reader, plan);
  plan->argv = argv + reader.next;
  return reader.failed || reader.next >= argc ? NULL : plan;
}
