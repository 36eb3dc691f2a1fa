/* SPDX-License-Identifier: MIT */
/* The values that Safehold\Process hands out. */
#ifndef SAFEHOLD_PHP_PROCESS_VALUES_H
#define SAFEHOLD_PHP_PROCESS_VALUES_H

#include "php_safehold.h"
#include "zend_smart_str.h"

/* What was collected from a child, in any number of calls. */
struct safehold_collected {
  smart_str out, err;
  uint64_t out_total, err_total;
  bool out_cut, err_cut, held_open, refused;
};

void safehold_register_process_values(void);

/* Each makes an object in `value`. A NULL status becomes null. */
void safehold_exit_status(zval *value, const safe_exit *status);
void safehold_stop_report(zval *value, const safe_stop_report *report, const safe_exit *status, const char *message);
void safehold_output(zval *value, const struct safehold_collected *collected, const safe_exit *status);
/* An array. */
void safehold_tree(zval *value, const safe_tree_info *info);

#endif
