/* SPDX-License-Identifier: MIT */
/* Safehold\Exception and what extends it: the library's errors. */
#include "api.h"

#include "ext/spl/spl_exceptions.h"
#include "zend_exceptions.h"

#include "api_exceptions_arginfo.h"

#define QUERY_MS 250

static zend_class_entry *base, *timed_out, *deadlock, *stuck, *lost, *owner, *path_fault, *unsupported;

void safehold_register_exceptions(void) {
  base = register_class_Safehold_Exception(spl_ce_RuntimeException);
  timed_out = register_class_Safehold_TimeoutException(base);
  deadlock = register_class_Safehold_DeadlockException(base);
  stuck = register_class_Safehold_StuckException(base);
  lost = register_class_Safehold_LostException(base);
  owner = register_class_Safehold_OwnerException(base);
  path_fault = register_class_Safehold_PathException(base);
  unsupported = register_class_Safehold_UnsupportedException(base);
}

static zend_class_entry *class_of(int code) {
  switch (code) {
  case SAFE_EINVAL:
    return zend_ce_value_error;
  case SAFE_ETIMEDOUT:
  case SAFE_EBUSY:
    return timed_out;
  case SAFE_EDEADLK:
    return deadlock;
  case SAFE_ESTUCK:
    return stuck;
  case SAFE_ELOST:
    return lost;
  case SAFE_EOWNER:
    return owner;
  case SAFE_ENOENT:
  case SAFE_EACCES:
  case SAFE_EISDIR:
  case SAFE_ENOTREG:
  case SAFE_ESYMLINK:
  case SAFE_EREPLACED:
  case SAFE_ENAMETOOLONG:
  case SAFE_ENOTDIR:
  case SAFE_ENOEXEC:
  case SAFE_EBATCH:
    return path_fault;
  case SAFE_ENOLCK:
  case SAFE_ENOTSUP:
    return unsupported;
  default:
    return base;
  }
}

static void describe(zend_object *thrown, const safe_error *error) {
  zend_update_property_string(base, thrown, ZEND_STRL("safeCode"), safe_code_name(error->code));
  zend_update_property_string(base, thrown, ZEND_STRL("stage"), safe_stage_name(error->stage));
  zend_update_property_long(base, thrown, ZEND_STRL("index"), error->index);
  zend_update_property_long(base, thrown, ZEND_STRL("osCode"), (zend_long)error->os_code);
}

static void name_holders(zend_object *thrown, const safe_error *error, const char *path) {
  zval holders;

  if (error->holder_pid != 0)
    zend_update_property_long(timed_out, thrown, ZEND_STRL("holderPid"), (zend_long)error->holder_pid);
  if (path == NULL) return;
  safehold_look_for_holders(path, QUERY_MS, &holders);
  zend_update_property(timed_out, thrown, ZEND_STRL("holders"), &holders);
  zval_ptr_dtor(&holders);
}

void safehold_throw(const safe_error *error, const char *path) {
  zend_class_entry *class = class_of(error->code);
  const char *message = error->message[0] != '\0' ? error->message : safe_code_name(error->code);
  zend_object *thrown;

  if (EG(exception) != NULL) return;
  thrown = zend_throw_exception(class, message, error->code);
  if (!instanceof_function(class, base)) return;
  describe(thrown, error);
  if (class == timed_out) name_holders(thrown, error, path);
}

/* A class of the script's own may have unset it. */
static void return_property(zval *return_value, zend_object *object, zend_class_entry *class, const char *name) {
  zval place, *value = zend_read_property(class, object, name, strlen(name), true, &place);

  RETURN_COPY_DEREF(value);
}

ZEND_METHOD(Safehold_Exception, getSafeCode) {
  ZEND_PARSE_PARAMETERS_NONE();
  return_property(return_value, Z_OBJ_P(ZEND_THIS), base, "safeCode");
}

ZEND_METHOD(Safehold_Exception, getStage) {
  ZEND_PARSE_PARAMETERS_NONE();
  return_property(return_value, Z_OBJ_P(ZEND_THIS), base, "stage");
}

ZEND_METHOD(Safehold_Exception, getIndex) {
  ZEND_PARSE_PARAMETERS_NONE();
  return_property(return_value, Z_OBJ_P(ZEND_THIS), base, "index");
}

ZEND_METHOD(Safehold_Exception, getOsCode) {
  ZEND_PARSE_PARAMETERS_NONE();
  return_property(return_value, Z_OBJ_P(ZEND_THIS), base, "osCode");
}

ZEND_METHOD(Safehold_TimeoutException, getHolders) {
  ZEND_PARSE_PARAMETERS_NONE();
  return_property(return_value, Z_OBJ_P(ZEND_THIS), timed_out, "holders");
}

ZEND_METHOD(Safehold_TimeoutException, getHolderPid) {
  ZEND_PARSE_PARAMETERS_NONE();
  return_property(return_value, Z_OBJ_P(ZEND_THIS), timed_out, "holderPid");
}
