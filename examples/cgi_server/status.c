/* SPDX-License-Identifier: MIT */
#include "route.h"
void status_answer(struct exchange *exchange) { exchange_refuse(exchange, 404, 0, "not yet"); }
