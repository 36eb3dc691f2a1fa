/* SPDX-License-Identifier: MIT */
/* clang-format off */
/* This is a generated file, edit the .stub.php file instead.
 * Stub hash: 5575fa274bd295183f3b4764e3c6909c40501f7e */

ZEND_BEGIN_ARG_INFO_EX(arginfo_class_Safehold_Process___construct, 0, 0, 1)
	ZEND_ARG_TYPE_MASK(0, command, MAY_BE_ARRAY|MAY_BE_STRING, NULL)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, cwd, IS_STRING, 1, "null")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, env, IS_ARRAY, 1, "null")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, envChanges, IS_ARRAY, 0, "[]")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, stdin, IS_MIXED, 0, "\"inherit\"")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, stdout, IS_MIXED, 0, "\"inherit\"")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, stderr, IS_MIXED, 0, "\"inherit\"")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, descriptors, IS_ARRAY, 0, "[]")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, spawnTimeout, IS_DOUBLE, 1, "null")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, limits, IS_ARRAY, 0, "[]")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, tree, IS_LONG, 0, "Safehold\\Process::TREE_DEFAULT")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, uid, IS_LONG, 1, "null")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, gid, IS_LONG, 1, "null")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, groups, IS_ARRAY, 1, "null")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, umask, IS_LONG, 1, "null")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, nice, IS_LONG, 0, "0")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, newSession, _IS_BOOL, 0, "false")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, dieWithParent, _IS_BOOL, 0, "false")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, columns, IS_LONG, 0, "80")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, rows, IS_LONG, 0, "24")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_OBJ_INFO_EX(arginfo_class_Safehold_Process_run, 0, 1, Safehold\\Output, 0)
	ZEND_ARG_TYPE_MASK(0, command, MAY_BE_ARRAY|MAY_BE_STRING, NULL)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, input, IS_STRING, 0, "\"\"")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, timeout, IS_DOUBLE, 1, "null")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, limit, IS_LONG, 1, "null")
	ZEND_ARG_VARIADIC_TYPE_INFO(0, options, IS_MIXED, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Safehold_Process_pid, 0, 0, IS_LONG, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_INFO_EX(arginfo_class_Safehold_Process_pipe, 0, 0, 1)
	ZEND_ARG_TYPE_INFO(0, number, IS_LONG, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_OBJ_INFO_EX(arginfo_class_Safehold_Process_wait, 0, 0, Safehold\\ExitStatus, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, timeout, IS_DOUBLE, 1, "null")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Safehold_Process_isRunning, 0, 0, _IS_BOOL, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Safehold_Process_signal, 0, 1, _IS_BOOL, 0)
	ZEND_ARG_TYPE_INFO(0, signal, IS_LONG, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, group, _IS_BOOL, 0, "false")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_OBJ_INFO_EX(arginfo_class_Safehold_Process_stop, 0, 0, Safehold\\StopReport, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, grace, IS_DOUBLE, 1, "null")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_OBJ_INFO_EX(arginfo_class_Safehold_Process_communicate, 0, 0, Safehold\\Output, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, input, IS_STRING, 0, "\"\"")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, timeout, IS_DOUBLE, 1, "null")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, limit, IS_LONG, 1, "null")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_OBJ_INFO_EX(arginfo_class_Safehold_Process_output, 0, 0, Safehold\\Output, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Safehold_Process_detach, 0, 0, IS_VOID, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Safehold_Process_tree, 0, 0, IS_ARRAY, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Safehold_Process_resize, 0, 2, IS_VOID, 0)
	ZEND_ARG_TYPE_INFO(0, columns, IS_LONG, 0)
	ZEND_ARG_TYPE_INFO(0, rows, IS_LONG, 0)
ZEND_END_ARG_INFO()


ZEND_METHOD(Safehold_Process, __construct);
ZEND_METHOD(Safehold_Process, run);
ZEND_METHOD(Safehold_Process, pid);
ZEND_METHOD(Safehold_Process, pipe);
ZEND_METHOD(Safehold_Process, wait);
ZEND_METHOD(Safehold_Process, isRunning);
ZEND_METHOD(Safehold_Process, signal);
ZEND_METHOD(Safehold_Process, stop);
ZEND_METHOD(Safehold_Process, communicate);
ZEND_METHOD(Safehold_Process, output);
ZEND_METHOD(Safehold_Process, detach);
ZEND_METHOD(Safehold_Process, tree);
ZEND_METHOD(Safehold_Process, resize);


static const zend_function_entry class_Safehold_Process_methods[] = {
	ZEND_ME(Safehold_Process, __construct, arginfo_class_Safehold_Process___construct, ZEND_ACC_PUBLIC)
	ZEND_ME(Safehold_Process, run, arginfo_class_Safehold_Process_run, ZEND_ACC_PUBLIC|ZEND_ACC_STATIC)
	ZEND_ME(Safehold_Process, pid, arginfo_class_Safehold_Process_pid, ZEND_ACC_PUBLIC)
	ZEND_ME(Safehold_Process, pipe, arginfo_class_Safehold_Process_pipe, ZEND_ACC_PUBLIC)
	ZEND_ME(Safehold_Process, wait, arginfo_class_Safehold_Process_wait, ZEND_ACC_PUBLIC)
	ZEND_ME(Safehold_Process, isRunning, arginfo_class_Safehold_Process_isRunning, ZEND_ACC_PUBLIC)
	ZEND_ME(Safehold_Process, signal, arginfo_class_Safehold_Process_signal, ZEND_ACC_PUBLIC)
	ZEND_ME(Safehold_Process, stop, arginfo_class_Safehold_Process_stop, ZEND_ACC_PUBLIC)
	ZEND_ME(Safehold_Process, communicate, arginfo_class_Safehold_Process_communicate, ZEND_ACC_PUBLIC)
	ZEND_ME(Safehold_Process, output, arginfo_class_Safehold_Process_output, ZEND_ACC_PUBLIC)
	ZEND_ME(Safehold_Process, detach, arginfo_class_Safehold_Process_detach, ZEND_ACC_PUBLIC)
	ZEND_ME(Safehold_Process, tree, arginfo_class_Safehold_Process_tree, ZEND_ACC_PUBLIC)
	ZEND_ME(Safehold_Process, resize, arginfo_class_Safehold_Process_resize, ZEND_ACC_PUBLIC)
	ZEND_FE_END
};

static zend_class_entry *register_class_Safehold_Process(void)
{
	zend_class_entry ce, *class_entry;

	INIT_NS_CLASS_ENTRY(ce, "Safehold", "Process", class_Safehold_Process_methods);
	class_entry = zend_register_internal_class_ex(&ce, NULL);
	class_entry->ce_flags |= ZEND_ACC_FINAL|ZEND_ACC_NO_DYNAMIC_PROPERTIES|ZEND_ACC_NOT_SERIALIZABLE;

	zval const_TREE_DEFAULT_value;
	ZVAL_LONG(&const_TREE_DEFAULT_value, SAFE_TREE_DEFAULT);
	zend_string *const_TREE_DEFAULT_name = zend_string_init_interned("TREE_DEFAULT", sizeof("TREE_DEFAULT") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_TREE_DEFAULT_name, &const_TREE_DEFAULT_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_TREE_DEFAULT_name);

	zval const_TREE_GROUP_value;
	ZVAL_LONG(&const_TREE_GROUP_value, SAFE_TREE_GROUP);
	zend_string *const_TREE_GROUP_name = zend_string_init_interned("TREE_GROUP", sizeof("TREE_GROUP") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_TREE_GROUP_name, &const_TREE_GROUP_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_TREE_GROUP_name);

	zval const_TREE_WHOLE_value;
	ZVAL_LONG(&const_TREE_WHOLE_value, SAFE_TREE_WHOLE);
	zend_string *const_TREE_WHOLE_name = zend_string_init_interned("TREE_WHOLE", sizeof("TREE_WHOLE") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_TREE_WHOLE_name, &const_TREE_WHOLE_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_TREE_WHOLE_name);

	zval const_TREE_CGROUP_value;
	ZVAL_LONG(&const_TREE_CGROUP_value, SAFE_TREE_CGROUP);
	zend_string *const_TREE_CGROUP_name = zend_string_init_interned("TREE_CGROUP", sizeof("TREE_CGROUP") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_TREE_CGROUP_name, &const_TREE_CGROUP_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_TREE_CGROUP_name);

	return class_entry;
}

