/* SPDX-License-Identifier: MIT */
/* Who answers which path. Each function takes the exchange on: it sets the answerer, or answers at once. */
#ifndef CGI_SERVER_ROUTE_H
#define CGI_SERVER_ROUTE_H

#include "exchange.h"

#define SERVER_NAME "safehold-cgi"

void route(struct exchange *exchange);

void static_file_answer(struct exchange *exchange);
void script_answer(struct exchange *exchange);
void status_answer(struct exchange *exchange);

#endif
