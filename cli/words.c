/* SPDX-License-Identifier: MIT */
#include "words.h"

#include <stddef.h>

#include "safehold.h"

#define WORD(words, number) \
  ((number) >= 0 && (size_t)(number) < sizeof(words) / sizeof((words)[0]) ? (words)[number] : NULL)

const char *word_of_role(int32_t role) {
  static const char *const words[] = {
    [SAFE_HOLDER_HOLDS] = "holds", [SAFE_HOLDER_WAITS] = "waits", [SAFE_HOLDER_OPENS] = "opens"};

  return WORD(words, role);
}

const char *word_of_mode(int32_t mode) {
  static const char *const words[] = {[SAFE_LOCK_EXCLUSIVE] = "exclusive", [SAFE_LOCK_SHARED] = "shared"};

  return WORD(words, mode);
}

const char *word_of_method(int32_t method) {
  static const char *const words[] = {
    [SAFE_METHOD_OFD] = "ofd",   [SAFE_METHOD_FLOCK] = "flock", [SAFE_METHOD_FAR] = "far",
    [SAFE_METHOD_BOTH] = "both", [SAFE_METHOD_POSIX] = "posix", [SAFE_METHOD_COMPAT] = "compat"};

  return WORD(words, method);
}

const char *word_of_via(int32_t via) {
  static const char *const words[] = {
    [SAFE_VIA_LOCKED] = "locked", [SAFE_VIA_INHERITED] = "inherited", [SAFE_VIA_RECORD] = "record"};

  return WORD(words, via);
}

const char *word_of_verdict(int32_t verdict) {
  static const char *const words[] = {[SAFE_VERDICT_FREE] = "free",
                                      [SAFE_VERDICT_HELD] = "held",
                                      [SAFE_VERDICT_CYCLE] = "cycle",
                                      [SAFE_VERDICT_STUCK] = "stuck",
                                      [SAFE_VERDICT_UNKNOWN] = "unknown"};

  return WORD(words, verdict);
}

const char *word_of_waits(int32_t waits) {
  static const char *const words[] = {
    [SAFE_WAITS_NOT] = "nothing",       [SAFE_WAITS_LOCK] = "lock",     [SAFE_WAITS_CHILD] = "child",
    [SAFE_WAITS_INPUT] = "input",       [SAFE_WAITS_ROOM] = "room",     [SAFE_WAITS_CONTINUE] = "continue",
    [SAFE_WAITS_DEBUGGER] = "debugger", [SAFE_WAITS_KERNEL] = "kernel", [SAFE_WAITS_REAPING] = "reaping",
    [SAFE_WAITS_OTHER] = "other"};

  return WORD(words, waits);
}

const char *word_of_kind(int32_t kind) {
  static const char *const words[] = {
    [SAFE_KIND_OTHER] = "other",   [SAFE_KIND_FILE] = "file",     [SAFE_KIND_FOLDER] = "folder",
    [SAFE_KIND_PIPE] = "pipe",     [SAFE_KIND_SOCKET] = "socket", [SAFE_KIND_DEVICE] = "device",
    [SAFE_KIND_MEMORY] = "memory", [SAFE_KIND_EVENT] = "event",   [SAFE_KIND_PROCESS] = "process"};

  return WORD(words, kind);
}
