/* SPDX-License-Identifier: MIT */
#include "route.h"

#include <string.h>

#include "server.h"

static void nothing(void *self) { (void)self; }

static void no_body(void *self, const char *bytes, size_t length) { (void)self, (void)bytes, (void)length; }

/* For answers that are complete when the function returns. */
static const struct answerer nobody = {no_body, nothing, nothing, nothing, true};

void route(struct exchange *exchange) {
  const struct options *options = &exchange->worker->server->options;
  static const struct header allow = {"Allow", "GET, HEAD, POST, OPTIONS"};

  exchange->answerer = &nobody;
  if (strcmp(exchange->target, "*") == 0) {
    exchange_begin(exchange, 204, "No Content", &allow, 1, 0);
    exchange_end(exchange);
  } else if (strcmp(exchange->path, "/-/status") == 0) {
    status_answer(exchange);
  } else if (options->cgi_bin != NULL && strncmp(exchange->path, "/cgi-bin/", 9) == 0) {
    script_answer(exchange);
  } else if (options->root != NULL) {
    static_file_answer(exchange);
  } else {
    exchange_refuse(exchange, 404, NULL, "There are no files here.");
  }
}
