/* SPDX-License-Identifier: MIT */
#include "process_values.h"

#include "process_values_arginfo.h"
#include "zend_exceptions.h"
#include "zend_interfaces.h"

static zend_class_entry *exit_status, *stop_report, *output;

#define SET(kind, name, ...) zend_update_property_##kind(ce, object, name, sizeof(name) - 1, ##__VA_ARGS__)

static zend_object *make(zval *value, zend_class_entry *ce) {
  object_init_ex(value, ce);
  return Z_OBJ_P(value);
}

static void set_time(zend_class_entry *ce, zend_object *object, const char *name, int64_t us) {
  if (us < 0)
    zend_update_property_null(ce, object, name, strlen(name));
  else
    zend_update_property_double(ce, object, name, strlen(name), (double)us / 1e6);
}

void safehold_exit_status(zval *value, const safe_exit *status) {
  zend_class_entry *ce = exit_status;
  zend_object *object;

  ZVAL_NULL(value);
  if (status == NULL) return;
  object = make(value, ce);
  if (status->kind == SAFE_EXIT_CODE)
    SET(long, "code", (zend_long)status->code);
  else
    SET(null, "code");
  if (status->kind == SAFE_EXIT_SIGNAL)
    SET(long, "signal", status->signal);
  else
    SET(null, "signal");
  SET(bool, "known", status->kind != SAFE_EXIT_UNKNOWN);
  SET(bool, "coreDumped", status->core != 0);
  set_time(ce, object, "userTime", status->user_us);
  set_time(ce, object, "systemTime", status->system_us);
  if (status->peak_memory >= 0)
    SET(long, "peakMemory", (zend_long)status->peak_memory);
  else
    SET(null, "peakMemory");
}

static void set_state(zend_class_entry *ce, zend_object *object, const safe_stop_report *report) {
  char state[2] = {(char)report->state, '\0'};

  if (report->state != 0)
    SET(string, "state", state);
  else
    SET(null, "state");
  if (report->wait_channel[0] != '\0')
    SET(string, "waitChannel", report->wait_channel);
  else
    SET(null, "waitChannel");
}

void safehold_stop_report(zval *value, const safe_stop_report *report, const safe_exit *status, const char *message) {
  zend_class_entry *ce = stop_report;
  zend_object *object = make(value, ce);
  zval left, ended;
  int at;

  array_init(&left);
  for (at = 0; at < report->left_count && at < SAFE_STOP_MAX_PIDS; at++)
    add_next_index_long(&left, (zend_long)report->left[at]);
  safehold_exit_status(&ended, status);
  SET(long, "verdict", report->verdict);
  zend_update_property(ce, object, "status", sizeof("status") - 1, &ended);
  zend_update_property(ce, object, "left", sizeof("left") - 1, &left);
  set_state(ce, object, report);
  if (message != NULL)
    SET(string, "message", message);
  else
    SET(null, "message");
  zval_ptr_dtor(&ended);
  zval_ptr_dtor(&left);
}

static void set_bytes(zend_class_entry *ce, zend_object *object, const char *name, const smart_str *bytes) {
  if (bytes->s != NULL)
    zend_update_property_stringl(ce, object, name, strlen(name), ZSTR_VAL(bytes->s), ZSTR_LEN(bytes->s));
  else
    zend_update_property_stringl(ce, object, name, strlen(name), "", 0);
}

void safehold_output(zval *value, const struct safehold_collected *collected, const safe_exit *status) {
  zend_class_entry *ce = output;
  zend_object *object = make(value, ce);
  zval ended;

  set_bytes(ce, object, "stdout", &collected->out);
  set_bytes(ce, object, "stderr", &collected->err);
  SET(bool, "stdoutCut", collected->out_cut);
  SET(bool, "stderrCut", collected->err_cut);
  SET(long, "stdoutTotal", (zend_long)collected->out_total);
  SET(long, "stderrTotal", (zend_long)collected->err_total);
  SET(bool, "heldOpen", collected->held_open);
  SET(bool, "inputRefused", collected->refused);
  safehold_exit_status(&ended, status);
  zend_update_property(ce, object, "status", sizeof("status") - 1, &ended);
  zval_ptr_dtor(&ended);
}

static void limits_lacking(zval *array, uint32_t bits) {
  static const char *const names[] = {"memory", "cpu", "files", "processes", "core", "fileSize"};
  size_t at;

  array_init(array);
  for (at = 0; at < sizeof(names) / sizeof(names[0]); at++)
    if ((bits & 1u << at) != 0) add_next_index_string(array, names[at]);
}

void safehold_tree(zval *value, const safe_tree_info *info) {
  static const char *const kinds[] = {"child", "group", "walk", "guard", "cgroup", "job"};
  zval lacking;

  limits_lacking(&lacking, info->limits_lacking);
  array_init(value);
  add_assoc_string(value, "kind", kinds[info->kind]);
  if (info->guard != 0)
    add_assoc_long(value, "guard", (zend_long)info->guard);
  else
    add_assoc_null(value, "guard");
  if (info->cgroup[0] != '\0')
    add_assoc_string(value, "cgroup", info->cgroup);
  else
    add_assoc_null(value, "cgroup");
  add_assoc_zval(value, "limitsLacking", &lacking);
}

/* ---- Methods. */

static zval *property(zval *object, const char *name) {
  return zend_read_property(Z_OBJCE_P(object), Z_OBJ_P(object), name, strlen(name), false, NULL);
}

ZEND_METHOD(Safehold_ExitStatus, __construct) { ZEND_PARSE_PARAMETERS_NONE(); }
ZEND_METHOD(Safehold_StopReport, __construct) { ZEND_PARSE_PARAMETERS_NONE(); }
ZEND_METHOD(Safehold_Output, __construct) { ZEND_PARSE_PARAMETERS_NONE(); }

ZEND_METHOD(Safehold_ExitStatus, success) {
  zval *code = property(ZEND_THIS, "code");

  ZEND_PARSE_PARAMETERS_NONE();
  RETURN_BOOL(Z_TYPE_P(code) == IS_LONG && Z_LVAL_P(code) == 0);
}

ZEND_METHOD(Safehold_ExitStatus, __toString) {
  zval *code = property(ZEND_THIS, "code"), *signal = property(ZEND_THIS, "signal");

  ZEND_PARSE_PARAMETERS_NONE();
  if (Z_TYPE_P(code) == IS_LONG) RETURN_NEW_STR(strpprintf(0, "exit code " ZEND_LONG_FMT, Z_LVAL_P(code)));
  if (Z_TYPE_P(signal) != IS_LONG) RETURN_STRING("status not known");
  RETURN_NEW_STR(strpprintf(0, "signal " ZEND_LONG_FMT "%s", Z_LVAL_P(signal),
                            zend_is_true(property(ZEND_THIS, "coreDumped")) ? ", core dumped" : ""));
}

ZEND_METHOD(Safehold_StopReport, __toString) {
  static const char *const words[] = {"it had ended already", "it ended when asked to", "it had to be killed",
                                      "it is still there"};
  zval *message = property(ZEND_THIS, "message");

  ZEND_PARSE_PARAMETERS_NONE();
  if (Z_TYPE_P(message) == IS_STRING) RETURN_COPY(message);
  RETURN_STRING(words[Z_LVAL_P(property(ZEND_THIS, "verdict")) & 3]);
}

void safehold_register_process_values(void) {
  exit_status = register_class_Safehold_ExitStatus(zend_ce_stringable);
  stop_report = register_class_Safehold_StopReport(zend_ce_stringable);
  output = register_class_Safehold_Output();
}
