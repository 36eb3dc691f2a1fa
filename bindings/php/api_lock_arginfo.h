/* SPDX-License-Identifier: MIT */
/* clang-format off */
/* This is a generated file, edit the .stub.php file instead.
 * Stub hash: be95da0f1c68c574bd4551ced2ea7598d6e3a9a5 */

ZEND_BEGIN_ARG_INFO_EX(arginfo_class_Safehold_Lock___construct, 0, 0, 1)
	ZEND_ARG_TYPE_INFO(0, target, IS_MIXED, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, mode, IS_LONG, 0, "Safehold\\Lock::EXCLUSIVE")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, timeout, IS_DOUBLE, 1, "null")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, offset, IS_LONG, 0, "0")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, length, IS_LONG, 0, "0")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, method, IS_LONG, 0, "Safehold\\Lock::METHOD_DEFAULT")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, label, IS_STRING, 1, "null")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, flags, IS_LONG, 0, "Safehold\\Lock::CREATE")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_OBJ_INFO_EX(arginfo_class_Safehold_Lock_try, 0, 1, Safehold\\Lock, 1)
	ZEND_ARG_TYPE_INFO(0, target, IS_MIXED, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, mode, IS_LONG, 0, "Safehold\\Lock::EXCLUSIVE")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, timeout, IS_DOUBLE, 1, "0.0")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, offset, IS_LONG, 0, "0")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, length, IS_LONG, 0, "0")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, method, IS_LONG, 0, "Safehold\\Lock::METHOD_DEFAULT")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, label, IS_STRING, 1, "null")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, flags, IS_LONG, 0, "Safehold\\Lock::CREATE")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Safehold_Lock_convert, 0, 1, IS_VOID, 0)
	ZEND_ARG_TYPE_INFO(0, mode, IS_LONG, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, timeout, IS_DOUBLE, 1, "null")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Safehold_Lock_release, 0, 0, IS_VOID, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Safehold_Lock_isHeld, 0, 0, _IS_BOOL, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Safehold_Lock_waitKind, 0, 0, IS_LONG, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Safehold_Lock_holders, 0, 0, IS_ARRAY, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Safehold_Lock_holdersOf, 0, 1, IS_ARRAY, 0)
	ZEND_ARG_TYPE_INFO(0, path, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, timeout, IS_DOUBLE, 0, "0.25")
ZEND_END_ARG_INFO()


ZEND_METHOD(Safehold_Lock, __construct);
ZEND_METHOD(Safehold_Lock, try);
ZEND_METHOD(Safehold_Lock, convert);
ZEND_METHOD(Safehold_Lock, release);
ZEND_METHOD(Safehold_Lock, isHeld);
ZEND_METHOD(Safehold_Lock, waitKind);
ZEND_METHOD(Safehold_Lock, holders);
ZEND_METHOD(Safehold_Lock, holdersOf);


static const zend_function_entry class_Safehold_Lock_methods[] = {
	ZEND_ME(Safehold_Lock, __construct, arginfo_class_Safehold_Lock___construct, ZEND_ACC_PUBLIC)
	ZEND_ME(Safehold_Lock, try, arginfo_class_Safehold_Lock_try, ZEND_ACC_PUBLIC|ZEND_ACC_STATIC)
	ZEND_ME(Safehold_Lock, convert, arginfo_class_Safehold_Lock_convert, ZEND_ACC_PUBLIC)
	ZEND_ME(Safehold_Lock, release, arginfo_class_Safehold_Lock_release, ZEND_ACC_PUBLIC)
	ZEND_ME(Safehold_Lock, isHeld, arginfo_class_Safehold_Lock_isHeld, ZEND_ACC_PUBLIC)
	ZEND_ME(Safehold_Lock, waitKind, arginfo_class_Safehold_Lock_waitKind, ZEND_ACC_PUBLIC)
	ZEND_ME(Safehold_Lock, holders, arginfo_class_Safehold_Lock_holders, ZEND_ACC_PUBLIC)
	ZEND_ME(Safehold_Lock, holdersOf, arginfo_class_Safehold_Lock_holdersOf, ZEND_ACC_PUBLIC|ZEND_ACC_STATIC)
	ZEND_FE_END
};

static zend_class_entry *register_class_Safehold_Lock(void)
{
	zend_class_entry ce, *class_entry;

	INIT_NS_CLASS_ENTRY(ce, "Safehold", "Lock", class_Safehold_Lock_methods);
	class_entry = zend_register_internal_class_ex(&ce, NULL);
	class_entry->ce_flags |= ZEND_ACC_FINAL|ZEND_ACC_NO_DYNAMIC_PROPERTIES|ZEND_ACC_NOT_SERIALIZABLE;

	zval const_EXCLUSIVE_value;
	ZVAL_LONG(&const_EXCLUSIVE_value, SAFE_LOCK_EXCLUSIVE);
	zend_string *const_EXCLUSIVE_name = zend_string_init_interned("EXCLUSIVE", sizeof("EXCLUSIVE") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_EXCLUSIVE_name, &const_EXCLUSIVE_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_EXCLUSIVE_name);

	zval const_SHARED_value;
	ZVAL_LONG(&const_SHARED_value, SAFE_LOCK_SHARED);
	zend_string *const_SHARED_name = zend_string_init_interned("SHARED", sizeof("SHARED") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_SHARED_name, &const_SHARED_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_SHARED_name);

	zval const_METHOD_DEFAULT_value;
	ZVAL_LONG(&const_METHOD_DEFAULT_value, SAFE_METHOD_DEFAULT);
	zend_string *const_METHOD_DEFAULT_name = zend_string_init_interned("METHOD_DEFAULT", sizeof("METHOD_DEFAULT") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_METHOD_DEFAULT_name, &const_METHOD_DEFAULT_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_METHOD_DEFAULT_name);

	zval const_METHOD_OFD_value;
	ZVAL_LONG(&const_METHOD_OFD_value, SAFE_METHOD_OFD);
	zend_string *const_METHOD_OFD_name = zend_string_init_interned("METHOD_OFD", sizeof("METHOD_OFD") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_METHOD_OFD_name, &const_METHOD_OFD_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_METHOD_OFD_name);

	zval const_METHOD_FLOCK_value;
	ZVAL_LONG(&const_METHOD_FLOCK_value, SAFE_METHOD_FLOCK);
	zend_string *const_METHOD_FLOCK_name = zend_string_init_interned("METHOD_FLOCK", sizeof("METHOD_FLOCK") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_METHOD_FLOCK_name, &const_METHOD_FLOCK_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_METHOD_FLOCK_name);

	zval const_METHOD_FAR_value;
	ZVAL_LONG(&const_METHOD_FAR_value, SAFE_METHOD_FAR);
	zend_string *const_METHOD_FAR_name = zend_string_init_interned("METHOD_FAR", sizeof("METHOD_FAR") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_METHOD_FAR_name, &const_METHOD_FAR_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_METHOD_FAR_name);

	zval const_METHOD_BOTH_value;
	ZVAL_LONG(&const_METHOD_BOTH_value, SAFE_METHOD_BOTH);
	zend_string *const_METHOD_BOTH_name = zend_string_init_interned("METHOD_BOTH", sizeof("METHOD_BOTH") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_METHOD_BOTH_name, &const_METHOD_BOTH_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_METHOD_BOTH_name);

	zval const_METHOD_POSIX_value;
	ZVAL_LONG(&const_METHOD_POSIX_value, SAFE_METHOD_POSIX);
	zend_string *const_METHOD_POSIX_name = zend_string_init_interned("METHOD_POSIX", sizeof("METHOD_POSIX") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_METHOD_POSIX_name, &const_METHOD_POSIX_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_METHOD_POSIX_name);

	zval const_METHOD_COMPAT_value;
	ZVAL_LONG(&const_METHOD_COMPAT_value, SAFE_METHOD_COMPAT);
	zend_string *const_METHOD_COMPAT_name = zend_string_init_interned("METHOD_COMPAT", sizeof("METHOD_COMPAT") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_METHOD_COMPAT_name, &const_METHOD_COMPAT_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_METHOD_COMPAT_name);

	zval const_CREATE_value;
	ZVAL_LONG(&const_CREATE_value, SAFE_LOCK_CREATE);
	zend_string *const_CREATE_name = zend_string_init_interned("CREATE", sizeof("CREATE") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_CREATE_name, &const_CREATE_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_CREATE_name);

	zval const_FOLLOW_SYMLINKS_value;
	ZVAL_LONG(&const_FOLLOW_SYMLINKS_value, SAFE_LOCK_FOLLOW_SYMLINKS);
	zend_string *const_FOLLOW_SYMLINKS_name = zend_string_init_interned("FOLLOW_SYMLINKS", sizeof("FOLLOW_SYMLINKS") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_FOLLOW_SYMLINKS_name, &const_FOLLOW_SYMLINKS_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_FOLLOW_SYMLINKS_name);

	zval const_FAIR_value;
	ZVAL_LONG(&const_FAIR_value, SAFE_LOCK_FAIR);
	zend_string *const_FAIR_name = zend_string_init_interned("FAIR", sizeof("FAIR") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_FAIR_name, &const_FAIR_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_FAIR_name);

	zval const_ISOLATE_value;
	ZVAL_LONG(&const_ISOLATE_value, SAFE_LOCK_ISOLATE);
	zend_string *const_ISOLATE_name = zend_string_init_interned("ISOLATE", sizeof("ISOLATE") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_ISOLATE_name, &const_ISOLATE_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_ISOLATE_name);

	zval const_REMOVE_ON_RELEASE_value;
	ZVAL_LONG(&const_REMOVE_ON_RELEASE_value, SAFE_LOCK_REMOVE_ON_UNLOCK);
	zend_string *const_REMOVE_ON_RELEASE_name = zend_string_init_interned("REMOVE_ON_RELEASE", sizeof("REMOVE_ON_RELEASE") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_REMOVE_ON_RELEASE_name, &const_REMOVE_ON_RELEASE_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_REMOVE_ON_RELEASE_name);

	zval const_RECORD_OWNER_value;
	ZVAL_LONG(&const_RECORD_OWNER_value, SAFE_LOCK_RECORD_OWNER);
	zend_string *const_RECORD_OWNER_name = zend_string_init_interned("RECORD_OWNER", sizeof("RECORD_OWNER") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_RECORD_OWNER_name, &const_RECORD_OWNER_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_RECORD_OWNER_name);

	zval const_CHECK_OWNER_value;
	ZVAL_LONG(&const_CHECK_OWNER_value, SAFE_LOCK_CHECK_OWNER);
	zend_string *const_CHECK_OWNER_name = zend_string_init_interned("CHECK_OWNER", sizeof("CHECK_OWNER") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_CHECK_OWNER_name, &const_CHECK_OWNER_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_CHECK_OWNER_name);

	zval const_REGULAR_ONLY_value;
	ZVAL_LONG(&const_REGULAR_ONLY_value, SAFE_LOCK_REGULAR_ONLY);
	zend_string *const_REGULAR_ONLY_name = zend_string_init_interned("REGULAR_ONLY", sizeof("REGULAR_ONLY") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_REGULAR_ONLY_name, &const_REGULAR_ONLY_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_REGULAR_ONLY_name);

	zval const_WAIT_NONE_value;
	ZVAL_LONG(&const_WAIT_NONE_value, SAFE_WAIT_NONE);
	zend_string *const_WAIT_NONE_name = zend_string_init_interned("WAIT_NONE", sizeof("WAIT_NONE") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_WAIT_NONE_name, &const_WAIT_NONE_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_WAIT_NONE_name);

	zval const_WAIT_QUEUED_value;
	ZVAL_LONG(&const_WAIT_QUEUED_value, SAFE_WAIT_QUEUED);
	zend_string *const_WAIT_QUEUED_name = zend_string_init_interned("WAIT_QUEUED", sizeof("WAIT_QUEUED") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_WAIT_QUEUED_name, &const_WAIT_QUEUED_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_WAIT_QUEUED_name);

	zval const_WAIT_BACKOFF_value;
	ZVAL_LONG(&const_WAIT_BACKOFF_value, SAFE_WAIT_BACKOFF);
	zend_string *const_WAIT_BACKOFF_name = zend_string_init_interned("WAIT_BACKOFF", sizeof("WAIT_BACKOFF") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_WAIT_BACKOFF_name, &const_WAIT_BACKOFF_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_WAIT_BACKOFF_name);

	zval const_WAIT_PLAIN_value;
	ZVAL_LONG(&const_WAIT_PLAIN_value, SAFE_WAIT_PLAIN);
	zend_string *const_WAIT_PLAIN_name = zend_string_init_interned("WAIT_PLAIN", sizeof("WAIT_PLAIN") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_WAIT_PLAIN_name, &const_WAIT_PLAIN_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_WAIT_PLAIN_name);

	zval const_WAIT_SIGNAL_value;
	ZVAL_LONG(&const_WAIT_SIGNAL_value, SAFE_WAIT_SIGNAL);
	zend_string *const_WAIT_SIGNAL_name = zend_string_init_interned("WAIT_SIGNAL", sizeof("WAIT_SIGNAL") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_WAIT_SIGNAL_name, &const_WAIT_SIGNAL_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_WAIT_SIGNAL_name);

	zval const_WAIT_RING_value;
	ZVAL_LONG(&const_WAIT_RING_value, SAFE_WAIT_RING);
	zend_string *const_WAIT_RING_name = zend_string_init_interned("WAIT_RING", sizeof("WAIT_RING") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_WAIT_RING_name, &const_WAIT_RING_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_WAIT_RING_name);

	return class_entry;
}

