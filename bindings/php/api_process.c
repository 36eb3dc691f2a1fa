/* SPDX-License-Identifier: MIT */
/* Safehold\Process. */
#include "api.h"

#include <math.h>

#include "process_spec.h"
#include "process_talk.h"

#include "api_process_arginfo.h"

#define USUAL_LIMIT ((size_t)64 << 20)

struct process_object {
  safe_process *process; /* NULL before the constructor has succeeded */
  struct safehold_talk talk;
  bool detached;
  zend_object std;
};

static zend_class_entry *process_class;
static zend_object_handlers handlers;

static struct process_object *of(zend_object *object) {
  return (struct process_object *)((char *)object - XtOffsetOf(struct process_object, std));
}

static zend_object *create(zend_class_entry *class) {
  struct process_object *self = zend_object_alloc(sizeof(*self), class);

  zend_object_std_init(&self->std, class);
  object_properties_init(&self->std, class);
  self->std.handlers = &handlers;
  return &self->std;
}

static bool look(safe_process *process, safe_exit *status) {
  safe_wait_options options = SAFE_WAIT_OPTIONS_INIT;

  options.timeout_ms = 0;
  return safe_process_wait(process, &options, status, NULL) == SAFE_OK;
}

/* Also called at the request's end, after a fatal error and exit() too. In a copy made by fork nothing is ended. */
static void release_storage(zend_object *object) {
  struct process_object *self = of(object);

  if (self->process != NULL && !self->detached && !look(self->process, NULL))
    safehold_child_stop(self->process, NULL, NULL);
  safe_process_free(self->process);
  self->process = NULL;
  safehold_talk_free(&self->talk);
  zend_object_std_dtor(object);
}

void safehold_register_process(void) {
  safehold_register_process_values();
  process_class = register_class_Safehold_Process();
  process_class->create_object = create;
  memcpy(&handlers, zend_get_std_object_handlers(), sizeof(handlers));
  handlers.offset = XtOffsetOf(struct process_object, std);
  handlers.free_obj = release_storage;
  handlers.clone_obj = NULL;
}

static struct process_object *started(zval *object) {
  struct process_object *self = of(Z_OBJ_P(object));

  if (self->process != NULL) return self;
  zend_throw_error(NULL, "The process has not been started");
  return NULL;
}

static void throw_unless(int code, const safe_error *error) {
  if (code != SAFE_OK) safehold_throw(error, NULL);
}

/* ---- Start. */

ZEND_METHOD(Safehold_Process, __construct) {
  struct process_object *self = of(Z_OBJ_P(ZEND_THIS));
  struct safehold_process_spec spec;
  safe_error error = SAFE_ERROR_INIT;

  if (safehold_process_spec_read(&spec, INTERNAL_FUNCTION_PARAM_PASSTHRU)) {
    /* Asked here, as reading the arguments may run the script's code, which finds the object by debug_backtrace(). */
    if (self->process != NULL)
      zend_throw_error(NULL, "The process has been started already");
    else
      throw_unless(safehold_child_spawn(&self->process, &spec.options, &error), &error);
  }
  safehold_process_spec_free(&spec);
}

/* What a run differs in from the constructor: nothing is inherited that was not asked for. */
static void set_streams(HashTable *named, bool input) {
  zval word;

  ZVAL_STRING(&word, "pipe");
  if (zend_hash_str_add(named, ZEND_STRL("stdout"), &word) != NULL) Z_TRY_ADDREF(word);
  if (zend_hash_str_add(named, ZEND_STRL("stderr"), &word) != NULL) Z_TRY_ADDREF(word);
  if (input && zend_hash_str_add(named, ZEND_STRL("stdin"), &word) != NULL) Z_TRY_ADDREF(word);
  zval_ptr_dtor(&word);
  ZVAL_STRING(&word, "null");
  if (zend_hash_str_add(named, ZEND_STRL("stdin"), &word) == NULL) zval_ptr_dtor(&word);
}

static bool construct(zval *object, zval *command, HashTable *more, bool input) {
  HashTable *named = more != NULL ? zend_array_dup(more) : zend_new_array(4);
  bool made = object_init_ex(object, process_class) == SUCCESS;

  set_streams(named, input);
  if (made)
    zend_call_known_function(process_class->constructor, Z_OBJ_P(object), process_class, NULL, 1, command, named);
  zend_array_release(named);
  if (made && EG(exception) != NULL) zval_ptr_dtor(object);
  return made && EG(exception) == NULL;
}

/* ---- Wait. */

/* `seconds` is NULL for the setting. */
static void begin_wait(struct safehold_wait *wait, const double *seconds) {
  safehold_wait_begin_child(wait);
  if (seconds == NULL) return;
  wait->deadline = *seconds >= 0 ? wait->began + *seconds : -1;
  wait->until = wait->deadline;
}

static bool check_seconds(double seconds, bool null, uint32_t arg) {
  if (null || !isnan(seconds)) return true;
  zend_argument_value_error(arg, "must be a number of seconds");
  return false;
}

static bool check_limit(zend_long limit, bool null, uint32_t arg) {
  if (null || limit >= 0) return true;
  zend_argument_value_error(arg, "must not be negative");
  return false;
}

ZEND_METHOD(Safehold_Process, wait) {
  struct process_object *self;
  safe_exit status = SAFE_EXIT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  struct safehold_wait wait;
  double seconds = 0;
  bool null = true;
  int code;

  ZEND_PARSE_PARAMETERS_START(0, 1)
  Z_PARAM_OPTIONAL
  Z_PARAM_DOUBLE_OR_NULL(seconds, null)
  ZEND_PARSE_PARAMETERS_END();

  if (!check_seconds(seconds, null, 1) || (self = started(ZEND_THIS)) == NULL) RETURN_THROWS();
  begin_wait(&wait, null ? NULL : &seconds);
  code = safehold_child_wait(self->process, &wait, &status, &error);
  safehold_wait_end(&wait);
  if (code == SAFE_EINTR) return; /* a handler has thrown, or the memory limit is exceeded: PHP says so later */
  throw_unless(code, &error);
  if (code == SAFE_OK) safehold_exit_status(return_value, &status);
}

ZEND_METHOD(Safehold_Process, isRunning) {
  struct process_object *self = started(ZEND_THIS);
  safe_wait_options options = SAFE_WAIT_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  int code;

  ZEND_PARSE_PARAMETERS_NONE();
  if (self == NULL) RETURN_THROWS();
  options.timeout_ms = 0;
  code = safe_process_wait(self->process, &options, NULL, &error);
  if (code != SAFE_ETIMEDOUT) throw_unless(code, &error);
  RETURN_BOOL(code == SAFE_ETIMEDOUT);
}

/* ---- Communicate. */

static void tell_output(zval *return_value, struct process_object *self) {
  safe_exit status = SAFE_EXIT_INIT;

  safehold_output(return_value, &self->talk.collected, look(self->process, &status) ? &status : NULL);
}

static int talk(struct process_object *self, const double *seconds, size_t limit, safe_error *error) {
  struct safehold_wait wait;
  int code;

  begin_wait(&wait, seconds);
  code = safehold_talk(&self->talk, self->process, limit, &wait, error);
  safehold_wait_end(&wait);
  return code;
}

ZEND_METHOD(Safehold_Process, communicate) {
  struct process_object *self;
  zend_string *input = ZSTR_EMPTY_ALLOC();
  safe_error error = SAFE_ERROR_INIT;
  zend_long limit = 0;
  double seconds = 0;
  bool no_seconds = true, no_limit = true;
  int code;

  ZEND_PARSE_PARAMETERS_START(0, 3)
  Z_PARAM_OPTIONAL
  Z_PARAM_STR(input)
  Z_PARAM_DOUBLE_OR_NULL(seconds, no_seconds)
  Z_PARAM_LONG_OR_NULL(limit, no_limit)
  ZEND_PARSE_PARAMETERS_END();

  if (!check_seconds(seconds, no_seconds, 2) || !check_limit(limit, no_limit, 3) || (self = started(ZEND_THIS)) == NULL)
    RETURN_THROWS();
  if (!safehold_talk_give(&self->talk, input)) {
    zend_argument_value_error(1, "must be empty, as the child's stdin was closed after the input of an earlier call");
    RETURN_THROWS();
  }
  code = talk(self, no_seconds ? NULL : &seconds, no_limit ? USUAL_LIMIT : (size_t)limit, &error);
  if (code == SAFE_EINTR) return; /* as in wait */
  throw_unless(code, &error);
  if (code == SAFE_OK) tell_output(return_value, self);
}

ZEND_METHOD(Safehold_Process, output) {
  struct process_object *self = started(ZEND_THIS);

  ZEND_PARSE_PARAMETERS_NONE();
  if (self == NULL) RETURN_THROWS();
  tell_output(return_value, self);
}

/* Also what the child has left in its tree is ended, as by safe_run. */
static void run(zval *return_value, struct process_object *self, const double *seconds, size_t limit) {
  safe_error error = SAFE_ERROR_INIT, stuck = SAFE_ERROR_INIT;
  int code = talk(self, seconds, limit, &error);

  if (safehold_child_stop(self->process, NULL, &stuck) == SAFE_ESTUCK) {
    error = stuck;
    code = SAFE_ESTUCK;
  }
  if (code == SAFE_EINTR) return;
  throw_unless(code, &error);
  if (code == SAFE_OK) tell_output(return_value, self);
}

ZEND_METHOD(Safehold_Process, run) {
  zval *command, *more_unnamed = NULL, object;
  HashTable *more = NULL;
  uint32_t unnamed = 0;
  zend_string *input = ZSTR_EMPTY_ALLOC();
  zend_long limit = 0;
  double seconds = 0;
  bool no_seconds = true, no_limit = true;

  ZEND_PARSE_PARAMETERS_START(1, -1)
  Z_PARAM_ZVAL(command)
  Z_PARAM_OPTIONAL
  Z_PARAM_STR(input)
  Z_PARAM_DOUBLE_OR_NULL(seconds, no_seconds)
  Z_PARAM_LONG_OR_NULL(limit, no_limit)
  Z_PARAM_VARIADIC_WITH_NAMED(more_unnamed, unnamed, more)
  ZEND_PARSE_PARAMETERS_END();

  (void)more_unnamed;
  /* The parser of arguments does not come to the named ones where optional ones before them are missing. */
  if ((ZEND_CALL_INFO(execute_data) & ZEND_CALL_HAS_EXTRA_NAMED_PARAMS) != 0) more = execute_data->extra_named_params;
  if (unnamed > 0) {
    zend_argument_value_error(5, "must be named, as an argument of the constructor");
    RETURN_THROWS();
  }
  if (!check_seconds(seconds, no_seconds, 3) || !check_limit(limit, no_limit, 4)) RETURN_THROWS();
  if (!construct(&object, command, more, ZSTR_LEN(input) > 0)) RETURN_THROWS();
  safehold_talk_give(&of(Z_OBJ(object))->talk, input);
  run(return_value, of(Z_OBJ(object)), no_seconds ? NULL : &seconds, no_limit ? USUAL_LIMIT : (size_t)limit);
  zval_ptr_dtor(&object);
}

/* ---- The rest. */

ZEND_METHOD(Safehold_Process, pid) {
  struct process_object *self = started(ZEND_THIS);

  ZEND_PARSE_PARAMETERS_NONE();
  if (self == NULL) RETURN_THROWS();
  RETURN_LONG((zend_long)safe_process_pid(self->process));
}

ZEND_METHOD(Safehold_Process, pipe) {
  struct process_object *self;
  php_stream *stream;
  zend_long number;

  ZEND_PARSE_PARAMETERS_START(1, 1)
  Z_PARAM_LONG(number)
  ZEND_PARSE_PARAMETERS_END();

  if ((self = started(ZEND_THIS)) == NULL) RETURN_THROWS();
  if (number < 0 || number > 2) {
    zend_argument_value_error(1, "must be 0, 1 or 2");
    RETURN_THROWS();
  }
#ifdef PHP_WIN32
  zend_throw_error(NULL, "On Windows a child's pipe is for communicate() alone");
  RETURN_THROWS();
#endif
  stream = safehold_child_stream(self->process, (int)number);
  if (stream == NULL) {
    zend_throw_error(NULL, "Stream " ZEND_LONG_FMT " of the child is no pipe of this object, or was taken already",
                     number);
    RETURN_THROWS();
  }
  /* It is our end alone that was not blocking, for communicate(). */
  php_stream_set_option(stream, PHP_STREAM_OPTION_BLOCKING, 1, NULL);
  php_stream_to_zval(stream, return_value);
}

ZEND_METHOD(Safehold_Process, signal) {
  struct process_object *self;
  safe_error error = SAFE_ERROR_INIT;
  zend_long number;
  bool group = false;
  int code;

  ZEND_PARSE_PARAMETERS_START(1, 2)
  Z_PARAM_LONG(number)
  Z_PARAM_OPTIONAL
  Z_PARAM_BOOL(group)
  ZEND_PARSE_PARAMETERS_END();

  if ((self = started(ZEND_THIS)) == NULL) RETURN_THROWS();
  if (number < 0 || number > INT_MAX) number = INT_MAX; /* which is no signal either */
  code = safe_process_signal(self->process, (int)number, group ? SAFE_SIGNAL_GROUP : 0, &error);
  if (code != SAFE_ESRCH) throw_unless(code, &error);
  RETURN_BOOL(code == SAFE_OK);
}

ZEND_METHOD(Safehold_Process, stop) {
  struct process_object *self;
  safe_stop_options options = SAFE_STOP_OPTIONS_INIT;
  safe_stop_report report = SAFE_STOP_REPORT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_exit status = SAFE_EXIT_INIT;
  double grace = SAFEHOLD_G(stop_grace);
  bool null = true;
  int code;

  ZEND_PARSE_PARAMETERS_START(0, 1)
  Z_PARAM_OPTIONAL
  Z_PARAM_DOUBLE_OR_NULL(grace, null)
  ZEND_PARSE_PARAMETERS_END();

  if ((self = started(ZEND_THIS)) == NULL) RETURN_THROWS();
  if (null) grace = SAFEHOLD_G(stop_grace);
  if (!(grace >= 0 && grace < 1e9)) {
    zend_argument_value_error(1, "must be a number of seconds that is not negative");
    RETURN_THROWS();
  }
  options.grace_ms = (int64_t)(grace * 1000);
  code = safe_process_stop(self->process, &options, &report, &error);
  if (code != SAFE_OK && code != SAFE_ESTUCK) {
    safehold_throw(&error, NULL);
    RETURN_THROWS();
  }
  safehold_stop_report(return_value, &report, look(self->process, &status) ? &status : NULL,
                       code == SAFE_ESTUCK ? error.message : NULL);
}

ZEND_METHOD(Safehold_Process, detach) {
  struct process_object *self = started(ZEND_THIS);

  ZEND_PARSE_PARAMETERS_NONE();
  if (self == NULL) RETURN_THROWS();
  self->detached = true;
}

ZEND_METHOD(Safehold_Process, tree) {
  struct process_object *self = started(ZEND_THIS);
  safe_tree_info info = SAFE_TREE_INFO_INIT;
  safe_error error = SAFE_ERROR_INIT;
  int code;

  ZEND_PARSE_PARAMETERS_NONE();
  if (self == NULL) RETURN_THROWS();
  code = safe_process_tree(self->process, &info, &error);
  throw_unless(code, &error);
  if (code == SAFE_OK) safehold_tree(return_value, &info);
}

ZEND_METHOD(Safehold_Process, resize) {
  struct process_object *self;
  zend_long columns, rows;

  ZEND_PARSE_PARAMETERS_START(2, 2)
  Z_PARAM_LONG(columns)
  Z_PARAM_LONG(rows)
  ZEND_PARSE_PARAMETERS_END();

  if ((self = started(ZEND_THIS)) == NULL) RETURN_THROWS();
  if (columns < 1 || columns > 65535 || rows < 1 || rows > 65535) {
    zend_argument_value_error(columns < 1 || columns > 65535 ? 1 : 2, "must be between 1 and 65535");
    RETURN_THROWS();
  }
  if (safe_process_resize(self->process, (int)columns, (int)rows) != SAFE_OK)
    zend_throw_error(NULL, "The process has no terminal of its own");
}
