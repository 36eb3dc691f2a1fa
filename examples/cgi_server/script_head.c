/* SPDX-License-Identifier: MIT */
#include "script_head.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "reason.h"
#include "token.h"

static enum script_head_state wrong(struct script_head *head, const char *complaint) {
  head->complaint = complaint;
  return SCRIPT_HEAD_WRONG;
}

static bool has_control(const char *text) {
  for (; *text != '\0'; text++)
    if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f) return true;
  return false;
}

static bool read_status(struct script_head *head, char *value) {
  size_t digits = strspn(value, "0123456789");

  if (head->status != 0 || digits != 3 || (value[3] != '\0' && value[3] != ' ')) return false;
  head->has_status = true;
  head->status = atoi(value);
  head->reason = value + 3 + strspn(value + 3, " ");
  if (*head->reason == '\0') head->reason = reason_of(head->status);
  return head->status >= 200 && head->status <= 599;
}

static bool read_length(struct script_head *head, const char *value) {
  char *end;

  errno = 0;
  if (head->content_length >= 0 || *value < '0' || *value > '9') return false;
  head->content_length = strtoll(value, &end, 10);
  return *end == '\0' && errno == 0;
}

static enum script_head_state read_line(struct script_head *head, char *line) {
  char *colon = strchr(line, ':'), *value, *end;

  if (*line == ' ' || *line == '\t') return wrong(head, "a header is continued on a second line");
  if (colon == NULL) return wrong(head, "a line of its head has no colon");
  *colon = '\0';
  value = colon + 1 + strspn(colon + 1, " \t");
  for (end = value + strlen(value); end > value && (end[-1] == ' ' || end[-1] == '\t'); end--) end[-1] = '\0';
  if (!is_token(line)) return wrong(head, "a header has an impossible name");
  if (has_control(value)) return wrong(head, "a header has a control character");
  if (strcasecmp(line, "Status") == 0)
    return read_status(head, value) ? SCRIPT_HEAD_MORE : wrong(head, "its Status is none");
  if (strcasecmp(line, "Content-Length") == 0 && !read_length(head, value))
    return wrong(head, "its Content-Length is none");
  if (strcasecmp(line, "Location") == 0) {
    if (head->location != NULL) return wrong(head, "it has more than one Location");
    head->location = value;
  }
  if (head->header_count == SCRIPT_HEADERS_MOST) return wrong(head, "it has too many headers");
  head->headers[head->header_count].name = line;
  head->headers[head->header_count++].value = value;
  return SCRIPT_HEAD_MORE;
}

static bool has_header(const struct script_head *head, const char *name) {
  size_t at;

  for (at = 0; at < head->header_count; at++)
    if (strcasecmp(head->headers[at].name, name) == 0) return true;
  return false;
}

/* The text does not move any more: the headers can point into it. */
static enum script_head_state read_all(struct script_head *head) {
  char *line = head->text.bytes, *end = line + head->text.length;

  head->content_length = -1;
  if (memchr(line, '\0', head->text.length) != NULL) return wrong(head, "its head has a NUL character");
  while (line < end) {
    char *next = memchr(line, '\n', (size_t)(end - line)), *last = next;

    *next = '\0';
    if (last > line && last[-1] == '\r') last[-1] = '\0';
    if (*line != '\0' && read_line(head, line) == SCRIPT_HEAD_WRONG) return SCRIPT_HEAD_WRONG;
    line = next + 1;
  }
  if (head->status == 0 && head->location == NULL && !has_header(head, "Content-Type"))
    return wrong(head, "its head has neither a Content-Type nor a Status nor a Location");
  if (head->status == 0) {
    head->status = head->location != NULL ? 302 : 200;
    head->reason = reason_of(head->status);
  }
  return SCRIPT_HEAD_DONE;
}

enum script_head_state script_head_feed(struct script_head *head, const char *bytes, size_t length, size_t *used) {
  size_t at = 0;

  while (at < length) {
    const char *newline = memchr(bytes + at, '\n', length - at);
    size_t piece = newline == NULL ? length - at : (size_t)(newline - (bytes + at)) + 1, line;

    if (head->text.length + piece > SCRIPT_HEAD_MOST) return wrong(head, "its head is too long");
    if (!buffer_add(&head->text, bytes + at, piece)) return wrong(head, "there is no memory for its head");
    at += piece;
    if (newline == NULL) break;
    line = head->text.length - head->line;
    if (line == 1 || (line == 2 && head->text.bytes[head->line] == '\r')) {
      *used = at;
      return read_all(head);
    }
    head->line = head->text.length;
  }
  *used = length;
  return SCRIPT_HEAD_MORE;
}

bool script_head_is_local_redirect(const struct script_head *head) {
  return head->location != NULL && head->location[0] == '/' && !head->has_status;
}

void script_head_free(struct script_head *head) { buffer_free(&head->text); }
