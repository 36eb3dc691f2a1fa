/* SPDX-License-Identifier: MIT */
/* Safehold\Lock. */
#include "api.h"

#include <math.h>

#include "lock_wait.h"
#include "stream_file.h"

#include "api_lock_arginfo.h"

/* PHP programs expect that flock() of another one sees it, and on Windows that is the lock of byte 0. */
#ifdef PHP_WIN32
#define USUAL_METHOD SAFE_METHOD_COMPAT
#else
#define USUAL_METHOD SAFE_METHOD_FLOCK
#endif

struct lock_object {
  safe_lock *lock;  /* or NULL */
  char *path;       /* absolute; NULL for a stream */
  safe_handle file; /* for a stream: a copy of its descriptor, so that fclose() does not take it from under us */
  safe_lock_options options;  /* what was asked for */
  zend_string *label;         /* what options.label points into, or NULL */
  long process;               /* who got it */
  struct safehold_wait *wait; /* in which the lock is waited for, and handlers of signals run; or NULL */
  bool released;              /* by one of them */
  zend_object std;
};

static zend_class_entry *lock_class;
static zend_object_handlers handlers;

static struct lock_object *of(zend_object *object) {
  return (struct lock_object *)((char *)object - XtOffsetOf(struct lock_object, std));
}
#define THIS of(Z_OBJ_P(ZEND_THIS))

static zend_object *create(zend_class_entry *class) {
  struct lock_object *self = zend_object_alloc(sizeof(*self), class);
  safe_lock_options initial = SAFE_LOCK_OPTIONS_INIT;

  self->file = SAFE_INVALID_HANDLE;
  self->options = initial;
  zend_object_std_init(&self->std, class);
  object_properties_init(&self->std, class);
  self->std.handlers = &handlers;
  return &self->std;
}

static int give_back(struct lock_object *self) {
  int code = self->lock != NULL ? safe_unlock(self->lock) : SAFE_OK;

  self->lock = NULL;
  if (self->file != SAFE_INVALID_HANDLE) safehold_close_file(self->file);
  self->file = SAFE_INVALID_HANDLE;
  return code;
}

/* Also called at the request's end, after a fatal error and exit() too. */
static void release_storage(zend_object *object) {
  struct lock_object *self = of(object);

  give_back(self);
  if (self->path != NULL) efree(self->path);
  if (self->label != NULL) zend_string_release(self->label);
  zend_object_std_dtor(object);
}

void safehold_register_lock(void) {
  lock_class = register_class_Safehold_Lock();
  lock_class->create_object = create;
  memcpy(&handlers, &std_object_handlers, sizeof(handlers));
  handlers.offset = XtOffsetOf(struct lock_object, std);
  handlers.free_obj = release_storage;
  handlers.clone_obj = NULL;
}

/* ---- Getting it. */

struct arguments {
  zval *target;
  zend_string *label;
  zend_long mode, method, flags, offset, length;
  double timeout;
  bool no_timeout;
};

static bool fits(zend_long number, uint32_t argument, const char *what) {
  if (number >= 0 && number <= INT32_MAX) return true;
  zend_argument_value_error(argument, "must be %s", what);
  return false;
}

/* The constructor's and try()'s arguments into the object. */
static bool take_target(struct lock_object *self, const struct arguments *given) {
  if (Z_TYPE_P(given->target) == IS_STRING) {
    self->path = safehold_path(Z_STR_P(given->target), 1);
    return self->path != NULL;
  }
  if (Z_TYPE_P(given->target) != IS_RESOURCE) {
    zend_argument_type_error(1, "must be of type string or resource, %s given", zend_zval_type_name(given->target));
    return false;
  }
  self->file = safehold_copy_of_stream(given->target);
  if (self->file != SAFE_INVALID_HANDLE) return true;
  if (EG(exception) == NULL) zend_argument_value_error(1, "must be an open stream of a plain file");
  return false;
}

static bool take_options(struct lock_object *self, const struct arguments *given) {
  if (!fits(given->mode, 2, "Lock::EXCLUSIVE or Lock::SHARED") ||
      !fits(given->method, 6, "a Lock::METHOD_* constant") || !fits(given->flags, 8, "a sum of Lock's flags"))
    return false;
  if (isnan(given->timeout)) {
    zend_argument_value_error(3, "must be a number");
    return false;
  }
  if (given->label != NULL && CHECK_NULL_PATH(ZSTR_VAL(given->label), ZSTR_LEN(given->label))) {
    zend_argument_value_error(7, "must not contain any null bytes");
    return false;
  }
  if ((given->flags & SAFE_LOCK_RETURN_ON_EINTR) != 0) {
    zend_argument_value_error(8, "must be a sum of Lock's flags");
    return false;
  }
  self->options.mode = (int32_t)given->mode;
  self->options.method = given->method != SAFE_METHOD_DEFAULT ? (int32_t)given->method : USUAL_METHOD;
  self->options.flags = (uint32_t)given->flags;
  self->options.offset = given->offset;
  self->options.length = given->length;
  if (self->label != NULL) zend_string_release(self->label);
  self->label = NULL;
  self->options.label = NULL;
  if (given->label != NULL) {
    self->label = zend_string_copy(given->label);
    self->options.label = ZSTR_VAL(self->label);
  }
  return true;
}

/* One question without waiting, which is nearly always all. */
static int ask_once(struct lock_object *self, const safe_lock_options *wanted, uint32_t holder_query_ms,
                    safe_error *error) {
  safe_lock_options options = *wanted;

  options.timeout_ms = SAFE_NO_WAIT;
  options.holder_query_ms = holder_query_ms;
  if (self->path != NULL) return safe_lock_file(&self->lock, self->path, &options, error);
  return safe_lock_handle(&self->lock, self->file, &options, error);
}

static int lose(safe_error *error, const char *message) {
  error->code = SAFE_ELOST;
  snprintf(error->message, sizeof(error->message), "%s", message);
  return SAFE_ELOST;
}

static int fail_released(struct lock_object *self, safe_error *error) {
  if (self->lock != NULL) safe_unlock(self->lock);
  self->lock = NULL;
  return lose(error, "The lock was released by a signal handler while it was being waited for.");
}

static int get(struct lock_object *self, double timeout, safe_error *error) {
  struct safehold_lock_ask ask = {self->path, self->file, self->options, false};
  struct safehold_wait wait;
  int code;

  self->released = false;
  code = ask_once(self, &ask.options, timeout == 0 ? ask.options.holder_query_ms : 0, error);
  if (code == SAFE_EBUSY && timeout != 0) {
    safehold_wait_begin(&wait, timeout);
    self->wait = &wait;
    code = safehold_lock_wait(&ask, &wait, &self->lock, error);
    self->wait = NULL;
    self->process = (long)getpid();
    if (self->released) code = fail_released(self, error);
    safehold_wait_end(&wait);
  }
  self->process = (long)getpid();
  return code;
}

/* What the library can be asked about the file. */
static const char *name_of(const struct lock_object *self, char *space, size_t size) {
  if (self->path != NULL) return self->path;
  return safehold_name_of_file(self->file, space, size);
}

/* false after an exception, or, if `may_fail`, where somebody else has the lock. */
static bool acquire(struct lock_object *self, const struct arguments *given, bool may_fail) {
  safe_error error = SAFE_ERROR_INIT;
  char space[64];
  int code;

  if (!take_options(self, given) || !take_target(self, given)) return false;
  code = get(self, given->no_timeout ? SAFEHOLD_G(lock_timeout) : given->timeout, &error);
  if (code == SAFE_OK) return true;
  if (!may_fail || (code != SAFE_EBUSY && code != SAFE_ETIMEDOUT))
    safehold_throw(&error, name_of(self, space, sizeof(space)));
  give_back(self);
  return false;
}

static const struct arguments usual = {.flags = SAFE_LOCK_CREATE};

#define PARSE_ARGUMENTS(given)                                \
  ZEND_PARSE_PARAMETERS_START(1, 8)                           \
  Z_PARAM_ZVAL((given).target)                                \
  Z_PARAM_OPTIONAL                                            \
  Z_PARAM_LONG((given).mode)                                  \
  Z_PARAM_DOUBLE_OR_NULL((given).timeout, (given).no_timeout) \
  Z_PARAM_LONG((given).offset)                                \
  Z_PARAM_LONG((given).length)                                \
  Z_PARAM_LONG((given).method)                                \
  Z_PARAM_STR_OR_NULL((given).label)                          \
  Z_PARAM_LONG((given).flags)                                 \
  ZEND_PARSE_PARAMETERS_END()

ZEND_METHOD(Safehold_Lock, __construct) {
  struct arguments given = usual;

  given.no_timeout = true;
  PARSE_ARGUMENTS(given);
  if (THIS->path != NULL || THIS->lock != NULL || THIS->file != SAFE_INVALID_HANDLE) {
    zend_throw_error(NULL, "A lock cannot be constructed twice");
    RETURN_THROWS();
  }
  acquire(THIS, &given, false);
}

ZEND_METHOD(Safehold_Lock, try) {
  struct arguments given = usual;

  PARSE_ARGUMENTS(given);
  object_init_ex(return_value, lock_class);
  if (acquire(of(Z_OBJ_P(return_value)), &given, true)) return;
  zval_ptr_dtor(return_value);
  RETVAL_NULL();
}

/* ---- Having it. */

static bool is_held(const struct lock_object *self) { return self->lock != NULL && self->process == (long)getpid(); }

/* flock() has no way to change a lock: the kernel gives the shared one up before it asks. So what was lost is asked for
   anew, in a wait that handlers of signals may interrupt. */
static int ask_anew(struct lock_object *self, int32_t mode, double timeout, safe_error *error) {
  int32_t before = self->options.mode;
  int code;

  safe_unlock(self->lock);
  self->lock = NULL;
  self->options.mode = mode;
  code = get(self, timeout, error);
  if (code == SAFE_OK) return code;
  self->options.mode = before;
  error->code = SAFE_ELOST;
  return SAFE_ELOST;
}

/* Where the lock is kept meanwhile. */
static int convert_waiting(struct lock_object *self, const safe_lock_options *wanted, double timeout,
                           safe_error *error) {
  safe_lock_options options = *wanted;
  struct safehold_wait wait;
  int code;

  options.flags |= SAFE_LOCK_RETURN_ON_EINTR;
  safehold_wait_begin(&wait, timeout);
  do {
    options.timeout_ms = safehold_wait_left_ms(&wait);
    code = safe_lock_convert(self->lock, &options, error);
  } while (code == SAFE_EINTR && safehold_wait_go_on(&wait) && self->lock != NULL);
  if (self->lock == NULL) code = fail_released(self, error);
  safehold_wait_end(&wait);
  return code;
}

static int convert(struct lock_object *self, int32_t mode, double timeout, safe_error *error) {
  safe_lock_options options = self->options;
  int code;

  options.mode = mode;
  options.flags = 0; /* a shared lock could not be asked for with some of them */
  options.label = NULL;
  options.timeout_ms = SAFE_NO_WAIT;
  if (timeout != 0) options.holder_query_ms = 0;
  code = safe_lock_convert(self->lock, &options, error);
  if (code == SAFE_ELOST && timeout != 0) return ask_anew(self, mode, timeout, error);
  options.holder_query_ms = self->options.holder_query_ms;
  if (code == SAFE_EBUSY && timeout != 0) code = convert_waiting(self, &options, timeout, error);
  if (code == SAFE_OK) self->options.mode = mode;
  return code;
}

static bool throw_not_held(void) {
  safe_error error = SAFE_ERROR_INIT;

  lose(&error, "This lock is not held any more.");
  safehold_throw(&error, NULL);
  return false;
}

static bool throw_not_owner(void) {
  safe_error error = SAFE_ERROR_INIT;

  error.code = SAFE_EOWNER;
  snprintf(error.message, sizeof(error.message), "This lock belongs to the process that this one was forked from.");
  safehold_throw(&error, NULL);
  return false;
}

static bool must_be_held(const struct lock_object *self) {
  if (self->lock == NULL) return throw_not_held();
  return is_held(self) || throw_not_owner();
}

ZEND_METHOD(Safehold_Lock, convert) {
  safe_error error = SAFE_ERROR_INIT;
  bool no_timeout = true;
  zend_long mode;
  double timeout = 0;
  char space[64];
  int code;

  ZEND_PARSE_PARAMETERS_START(1, 2)
  Z_PARAM_LONG(mode)
  Z_PARAM_OPTIONAL
  Z_PARAM_DOUBLE_OR_NULL(timeout, no_timeout)
  ZEND_PARSE_PARAMETERS_END();

  if (mode != SAFE_LOCK_EXCLUSIVE && mode != SAFE_LOCK_SHARED) {
    zend_argument_value_error(1, "must be Lock::EXCLUSIVE or Lock::SHARED");
    RETURN_THROWS();
  }
  if (isnan(timeout)) {
    zend_argument_value_error(2, "must be a number");
    RETURN_THROWS();
  }
  if (!must_be_held(THIS)) RETURN_THROWS();
  if (no_timeout) timeout = SAFEHOLD_G(lock_timeout);
  code = convert(THIS, (int32_t)mode, timeout, &error);
  if (code == SAFE_OK) return;
  safehold_throw(&error, name_of(THIS, space, sizeof(space)));
  if (code == SAFE_ELOST) give_back(THIS);
}

ZEND_METHOD(Safehold_Lock, release) {
  ZEND_PARSE_PARAMETERS_NONE();
  if (THIS->wait != NULL) {
    THIS->released = true;
    THIS->wait->deadline = 0; /* which ends the wait */
    return;
  }
  if (THIS->lock != NULL && !is_held(THIS)) throw_not_owner();
  give_back(THIS);
}

ZEND_METHOD(Safehold_Lock, isHeld) {
  ZEND_PARSE_PARAMETERS_NONE();
  RETURN_BOOL(is_held(THIS));
}

ZEND_METHOD(Safehold_Lock, waitKind) {
  ZEND_PARSE_PARAMETERS_NONE();
  if (!must_be_held(THIS)) RETURN_THROWS();
  RETURN_LONG(safe_lock_wait_kind(THIS->lock));
}

/* ---- Who has it. */

ZEND_METHOD(Safehold_Lock, holders) {
  char space[64];
  const char *name;

  ZEND_PARSE_PARAMETERS_NONE();
  name = name_of(THIS, space, sizeof(space));
  if (name == NULL) {
    throw_not_held();
    RETURN_THROWS();
  }
  safehold_look_for_holders(name, 250, return_value);
}

ZEND_METHOD(Safehold_Lock, holdersOf) {
  safe_error error = SAFE_ERROR_INIT;
  safe_holder_list *list = NULL;
  double timeout = 0.25;
  zend_string *name;
  int64_t ms;
  char *path;
  int code;

  ZEND_PARSE_PARAMETERS_START(1, 2)
  Z_PARAM_STR(name)
  Z_PARAM_OPTIONAL
  Z_PARAM_DOUBLE(timeout)
  ZEND_PARSE_PARAMETERS_END();

  if (!safehold_query_ms(timeout, 2, &ms) || (path = safehold_path(name, 1)) == NULL) RETURN_THROWS();
  code = safe_lock_holders(path, ms, &list, &error);
  efree(path);
  if (code != SAFE_OK) {
    safehold_throw(&error, NULL);
    RETURN_THROWS();
  }
  safehold_holders_to_array(list, return_value);
  safe_holder_list_free(list);
}
