/* SPDX-License-Identifier: MIT */
#include "target.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static int digit(char letter) {
  if (letter >= '0' && letter <= '9') return letter - '0';
  letter |= 0x20;
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

/* An encoded slash is refused, as Apache does: decoded it would look like a boundary that the client did not send, and
   whether a script means the one or the other cannot be told apart in PATH_INFO (RFC 3875 section 4.1.5). */
static const char *decode(char *into, const char *from, size_t length) {
  size_t at;

  for (at = 0; at < length; at++) {
    int value = (unsigned char)from[at];

    if (value == '%') {
      if (length - at < 3 || digit(from[at + 1]) < 0 || digit(from[at + 2]) < 0)
        return "The path has a percent sign that is not followed by two hexadecimal digits.";
      value = digit(from[at + 1]) * 16 + digit(from[at + 2]);
      at += 2;
      if (value == '/') return "The path has an encoded slash.";
    }
    if (value < 0x20 || value == 0x7f) return "The path has a control character.";
    *into++ = (char)value;
  }
  *into = '\0';
  return NULL;
}

static bool has_control(const char *text) {
  for (; *text != '\0'; text++)
    if ((unsigned char)*text < 0x20 || *text == 0x7f) return true;
  return false;
}

/* RFC 3986 section 5.2.4, and runs of slashes become one. Dots that lead above the root are refused, not cut off. */
static const char *remove_dots(char *path) {
  char *into = path, *from = path;

  while (*from != '\0') {
    char *end = from + 1 + strcspn(from + 1, "/");
    size_t length = (size_t)(end - from); /* with its slash before it */

    if (length == 3 && from[1] == '.' && from[2] == '.') {
      if (into == path) return "The path leads out of the root.";
      do into--;
      while (*into != '/');
      if (*end == '\0') *into++ = '/';
    } else if ((length == 2 && from[1] == '.') || length == 1) {
      if (*end == '\0') *into++ = '/';
    } else {
      memmove(into, from, length);
      into += length;
    }
    from = end;
  }
  *into = '\0';
  return NULL;
}

const char *target_read(struct target *target, const char *text, char *space) {
  const char *complaint, *query;
  size_t length;

  target->authority = NULL;
  if (text[0] != '/') { /* RFC 9112 section 3.2.2 */
    size_t scheme = strncasecmp(text, "http://", 7) == 0 ? 7 : strncasecmp(text, "https://", 8) == 0 ? 8 : 0;

    if (scheme == 0) return "The target is no path.";
    text += scheme;
    length = strcspn(text, "/?#");
    memcpy(space, text, length);
    space[length] = '\0';
    target->authority = space;
    space += length + 1;
    text += length;
  }
  length = strcspn(text, "?#");
  query = text + length;
  target->path = space;
  if (length == 0)
    memcpy(space, "/", 2);
  else if ((complaint = decode(space, text, length)) != NULL)
    return complaint;
  if ((complaint = remove_dots(target->path)) != NULL) return complaint;
  space += strlen(space) + 1;
  target->query = space;
  if (has_control(query)) return "The query has a control character.";
  if (*query == '?') query++;
  length = strcspn(query, "#"); /* no client sends a fragment; it is not for the server */
  memcpy(space, query, length);
  space[length] = '\0';
  return NULL;
}

bool target_host_is_valid(const char *host) {
  size_t length = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":"), at;

  if (length > 255 || length > strlen(host) || (length == 0 && *host != '\0')) return false;
  for (at = 0; at < length; at++) {
    unsigned char letter = (unsigned char)host[at];
    bool plain = (letter >= '0' && letter <= '9') || ((letter | 0x20) >= 'a' && (letter | 0x20) <= 'z');

    if (!plain && strchr(host[0] == '[' ? "[]:.%" : "-._", letter) == NULL) return false;
  }
  host += length;
  if (*host == '\0') return true;
  return *host == ':' && strspn(host + 1, "0123456789") == strlen(host + 1) && strlen(host + 1) <= 5;
}
