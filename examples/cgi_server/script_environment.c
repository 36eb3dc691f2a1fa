/* SPDX-License-Identifier: MIT */
#include "script_environment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "route.h"
#include "safehold.h"

struct block {
  const char *const *extra; /* what is set there is not set here */
  char *next;               /* NULL: only the length is counted */
  char **list;
  size_t count, length;
};

static void put(struct block *block, const char *text, size_t length) {
  block->length += length;
  if (block->next == NULL) return;
  memcpy(block->next, text, length);
  block->next += length;
}

static void begin(struct block *block) {
  if (block->next != NULL) block->list[block->count] = block->next;
  block->count++;
}

static bool is_replaced(const struct block *block, const char *name) {
  size_t length = strlen(name), at;

  for (at = 0; block->extra != NULL && block->extra[at] != NULL; at++)
    if (strncmp(block->extra[at], name, length) == 0 && block->extra[at][length] == '=') return true;
  return false;
}

static void set(struct block *block, const char *name, const char *value) {
  if (is_replaced(block, name)) return;
  begin(block);
  put(block, name, strlen(name));
  put(block, "=", 1);
  put(block, value, strlen(value) + 1);
}

static void set_number(struct block *block, const char *name, int64_t number) {
  char text[24];

  snprintf(text, sizeof(text), "%lld", (long long)number);
  set(block, name, text);
}

/* Headers become variables by turning "-" into "_": one whose name has "_" or "." already would be taken for another
   one, which a proxy in front may have checked. Some are not for scripts: what is told by a variable of its own, the
   client's password (RFC 3875 section 9.2), and Proxy, as HTTP_PROXY is what many programs read their proxy from. */
static bool is_for_scripts(const char *name) {
  static const char *const hidden[] = {"Authorization", "Content-Length",      "Content-Type",
                                       "Proxy",         "Proxy-Authorization", "Transfer-Encoding"};
  size_t at;

  for (at = 0; at < sizeof(hidden) / sizeof(hidden[0]); at++)
    if (strcasecmp(name, hidden[at]) == 0) return false;
  return name[strspn(name, "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")] == '\0';
}

static bool came_before(const struct exchange *exchange, size_t which) {
  size_t at;

  for (at = 0; at < which; at++)
    if (strcasecmp(exchange->headers[at].name, exchange->headers[which].name) == 0) return true;
  return false;
}

static char variable_letter(char letter) {
  return letter == '-' ? '_' : letter >= 'a' && letter <= 'z' ? (char)(letter - 'a' + 'A') : letter;
}

static bool is_replaced_header(const struct block *block, const char *name) {
  size_t at, letter;

  for (at = 0; block->extra != NULL && block->extra[at] != NULL; at++) {
    const char *extra = block->extra[at];

    if (strncmp(extra, "HTTP_", 5) != 0) continue;
    for (letter = 0, extra += 5; name[letter] != '\0' && variable_letter(name[letter]) == extra[letter];) letter++;
    if (name[letter] == '\0' && extra[letter] == '=') return true;
  }
  return false;
}

/* Several headers of one name are one list (RFC 9110 section 5.3), of cookies with another separator. */
static void set_header(struct block *block, const struct exchange *exchange, size_t which) {
  const char *name = exchange->headers[which].name;
  const char *separator = strcasecmp(name, "Cookie") == 0 ? "; " : ", ";
  size_t at;

  if (is_replaced_header(block, name)) return;
  begin(block);
  put(block, "HTTP_", 5);
  for (; *name != '\0'; name++) {
    char letter = variable_letter(*name);

    put(block, &letter, 1);
  }
  put(block, "=", 1);
  name = exchange->headers[which].name;
  put(block, exchange->headers[which].value, strlen(exchange->headers[which].value));
  for (at = which + 1; at < exchange->header_count; at++) {
    if (strcasecmp(exchange->headers[at].name, name) != 0) continue;
    put(block, separator, 2);
    put(block, exchange->headers[at].value, strlen(exchange->headers[at].value));
  }
  put(block, "", 1);
}

static void set_path(struct block *block, const struct script_place *place, const char *root) {
  set(block, "SCRIPT_NAME", place->name);
  set(block, "SCRIPT_FILENAME", place->file);
  if (*place->path_info == '\0') return;
  set(block, "PATH_INFO", place->path_info);
  if (root == NULL || is_replaced(block, "PATH_TRANSLATED")) return;
  begin(block);
  put(block, "PATH_TRANSLATED=", 16);
  put(block, root, strcmp(root, "/") == 0 ? 0 : strlen(root));
  put(block, place->path_info, strlen(place->path_info) + 1);
}

/* There is no AUTH_TYPE and no REMOTE_USER: this server asks nobody who he is. */
static void set_all(struct block *block, const struct exchange *exchange, const struct script_place *place,
                    const struct script_environment *what) {
  const char *type = exchange_header(exchange, "Content-Type");
  size_t at;

  set(block, "GATEWAY_INTERFACE", "CGI/1.1");
  set(block, "SERVER_SOFTWARE", SERVER_NAME "/" SAFE_VERSION_STRING);
  set(block, "SERVER_NAME", exchange->host);
  set_number(block, "SERVER_PORT", what->port);
  set(block, "SERVER_PROTOCOL", exchange->version_minor == 0 ? "HTTP/1.0" : "HTTP/1.1");
  set(block, "REQUEST_METHOD", exchange->method);
  set(block, "REQUEST_URI", exchange->target);
  set(block, "QUERY_STRING", exchange->query);
  set(block, "REMOTE_ADDR", exchange->client);
  set(block, "REMOTE_HOST", exchange->client);
  set_number(block, "REMOTE_PORT", exchange->client_port);
  set(block, "DOCUMENT_ROOT", what->root != NULL ? what->root : what->cgi_bin);
  set(block, "REDIRECT_STATUS", "200"); /* php-cgi runs nothing without it: it stands for "the server chose the file" */
  set(block, "PATH", "/usr/local/bin:/usr/bin:/bin");
  set_path(block, place, what->root);
  if (what->content_length > 0) set_number(block, "CONTENT_LENGTH", what->content_length);
  if (type != NULL) set(block, "CONTENT_TYPE", type);
  for (at = 0; at < exchange->header_count; at++)
    if (is_for_scripts(exchange->headers[at].name) && !came_before(exchange, at)) set_header(block, exchange, at);
  for (at = 0; what->extra != NULL && what->extra[at] != NULL; at++) {
    begin(block);
    put(block, what->extra[at], strlen(what->extra[at]) + 1);
  }
}

char **script_environment_make(const struct exchange *exchange, const struct script_place *place,
                               const struct script_environment *what) {
  struct block block = {.extra = what->extra};
  char **list;

  set_all(&block, exchange, place, what);
  list = malloc((block.count + 1) * sizeof(*list) + block.length);
  if (list == NULL) return NULL;
  block.list = list;
  block.next = (char *)(list + block.count + 1);
  list[block.count] = NULL;
  block.count = block.length = 0;
  set_all(&block, exchange, place, what);
  return list;
}
