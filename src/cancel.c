/* SPDX-License-Identifier: MIT */
#include "os.h"

int safe_cancel_create(safe_cancel **cancel) {
  if (cancel == NULL) return SAFE_EINVAL;
  *cancel = NULL;
  return safe__os_cancel_create(cancel);
}

void safe_cancel_trigger(safe_cancel *cancel) {
  if (cancel != NULL) safe__os_cancel_trigger(cancel);
}

void safe_cancel_free(safe_cancel *cancel) {
  if (cancel != NULL) safe__os_cancel_free(cancel);
}
