/* SPDX-License-Identifier: MIT */
#include "settings.h"

#include <ctype.h>

/* zend_strtod, which reads it for OnUpdateReal, does not skip white space, and would find 0. */
static bool number_of(const zend_string *text, double *number) {
  zend_long whole;
  uint8_t type = text != NULL && !isspace((unsigned char)*ZSTR_VAL(text))
                   ? is_numeric_string(ZSTR_VAL(text), ZSTR_LEN(text), &whole, number, false)
                   : 0;

  if (type == IS_LONG) *number = (double)whole;
  return (type == IS_LONG || type == IS_DOUBLE) && zend_finite(*number);
}

/* A setting that is refused at the start has its default. */
static zend_result refuse(const zend_ini_entry *entry, const zend_string *value, int stage, const char *wanted) {
  if (stage != ZEND_INI_STAGE_DEACTIVATE && stage != ZEND_INI_STAGE_SHUTDOWN)
    zend_error(E_WARNING, "%s must be %s, not \"%s\"", ZSTR_VAL(entry->name), wanted,
               value != NULL ? ZSTR_VAL(value) : "");
  return FAILURE;
}

ZEND_INI_MH(safehold_update_timeout) {
  double number;

  if (!number_of(new_value, &number)) return refuse(entry, new_value, stage, "a number of seconds");
  return OnUpdateReal(entry, new_value, mh_arg1, mh_arg2, mh_arg3, stage);
}

ZEND_INI_MH(safehold_update_grace) {
  double number;

  if (!number_of(new_value, &number) || number < 0 || number > 86400)
    return refuse(entry, new_value, stage, "a number of seconds between 0 and 86400");
  return OnUpdateReal(entry, new_value, mh_arg1, mh_arg2, mh_arg3, stage);
}
