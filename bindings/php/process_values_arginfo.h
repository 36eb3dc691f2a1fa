/* SPDX-License-Identifier: MIT */
/* clang-format off */
/* This is a generated file, edit the .stub.php file instead.
 * Stub hash: 6dd25c65b36e236d42ce783a67e4a6b537cc28e0 */

ZEND_BEGIN_ARG_INFO_EX(arginfo_class_Safehold_ExitStatus___construct, 0, 0, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Safehold_ExitStatus_success, 0, 0, _IS_BOOL, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Safehold_ExitStatus___toString, 0, 0, IS_STRING, 0)
ZEND_END_ARG_INFO()

#define arginfo_class_Safehold_StopReport___construct arginfo_class_Safehold_ExitStatus___construct

#define arginfo_class_Safehold_StopReport___toString arginfo_class_Safehold_ExitStatus___toString

#define arginfo_class_Safehold_Output___construct arginfo_class_Safehold_ExitStatus___construct


ZEND_METHOD(Safehold_ExitStatus, __construct);
ZEND_METHOD(Safehold_ExitStatus, success);
ZEND_METHOD(Safehold_ExitStatus, __toString);
ZEND_METHOD(Safehold_StopReport, __construct);
ZEND_METHOD(Safehold_StopReport, __toString);
ZEND_METHOD(Safehold_Output, __construct);


static const zend_function_entry class_Safehold_ExitStatus_methods[] = {
	ZEND_ME(Safehold_ExitStatus, __construct, arginfo_class_Safehold_ExitStatus___construct, ZEND_ACC_PRIVATE)
	ZEND_ME(Safehold_ExitStatus, success, arginfo_class_Safehold_ExitStatus_success, ZEND_ACC_PUBLIC)
	ZEND_ME(Safehold_ExitStatus, __toString, arginfo_class_Safehold_ExitStatus___toString, ZEND_ACC_PUBLIC)
	ZEND_FE_END
};


static const zend_function_entry class_Safehold_StopReport_methods[] = {
	ZEND_ME(Safehold_StopReport, __construct, arginfo_class_Safehold_StopReport___construct, ZEND_ACC_PRIVATE)
	ZEND_ME(Safehold_StopReport, __toString, arginfo_class_Safehold_StopReport___toString, ZEND_ACC_PUBLIC)
	ZEND_FE_END
};


static const zend_function_entry class_Safehold_Output_methods[] = {
	ZEND_ME(Safehold_Output, __construct, arginfo_class_Safehold_Output___construct, ZEND_ACC_PRIVATE)
	ZEND_FE_END
};

static zend_class_entry *register_class_Safehold_ExitStatus(zend_class_entry *class_entry_Stringable)
{
	zend_class_entry ce, *class_entry;

	INIT_NS_CLASS_ENTRY(ce, "Safehold", "ExitStatus", class_Safehold_ExitStatus_methods);
	class_entry = zend_register_internal_class_ex(&ce, NULL);
	class_entry->ce_flags |= ZEND_ACC_FINAL|ZEND_ACC_NO_DYNAMIC_PROPERTIES|ZEND_ACC_NOT_SERIALIZABLE;
	zend_class_implements(class_entry, 1, class_entry_Stringable);

	zval property_code_default_value;
	ZVAL_UNDEF(&property_code_default_value);
	zend_string *property_code_name = zend_string_init("code", sizeof("code") - 1, 1);
	zend_declare_typed_property(class_entry, property_code_name, &property_code_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_LONG|MAY_BE_NULL));
	zend_string_release(property_code_name);

	zval property_signal_default_value;
	ZVAL_UNDEF(&property_signal_default_value);
	zend_string *property_signal_name = zend_string_init("signal", sizeof("signal") - 1, 1);
	zend_declare_typed_property(class_entry, property_signal_name, &property_signal_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_LONG|MAY_BE_NULL));
	zend_string_release(property_signal_name);

	zval property_known_default_value;
	ZVAL_UNDEF(&property_known_default_value);
	zend_string *property_known_name = zend_string_init("known", sizeof("known") - 1, 1);
	zend_declare_typed_property(class_entry, property_known_name, &property_known_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_BOOL));
	zend_string_release(property_known_name);

	zval property_coreDumped_default_value;
	ZVAL_UNDEF(&property_coreDumped_default_value);
	zend_string *property_coreDumped_name = zend_string_init("coreDumped", sizeof("coreDumped") - 1, 1);
	zend_declare_typed_property(class_entry, property_coreDumped_name, &property_coreDumped_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_BOOL));
	zend_string_release(property_coreDumped_name);

	zval property_userTime_default_value;
	ZVAL_UNDEF(&property_userTime_default_value);
	zend_string *property_userTime_name = zend_string_init("userTime", sizeof("userTime") - 1, 1);
	zend_declare_typed_property(class_entry, property_userTime_name, &property_userTime_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_DOUBLE|MAY_BE_NULL));
	zend_string_release(property_userTime_name);

	zval property_systemTime_default_value;
	ZVAL_UNDEF(&property_systemTime_default_value);
	zend_string *property_systemTime_name = zend_string_init("systemTime", sizeof("systemTime") - 1, 1);
	zend_declare_typed_property(class_entry, property_systemTime_name, &property_systemTime_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_DOUBLE|MAY_BE_NULL));
	zend_string_release(property_systemTime_name);

	zval property_peakMemory_default_value;
	ZVAL_UNDEF(&property_peakMemory_default_value);
	zend_string *property_peakMemory_name = zend_string_init("peakMemory", sizeof("peakMemory") - 1, 1);
	zend_declare_typed_property(class_entry, property_peakMemory_name, &property_peakMemory_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_LONG|MAY_BE_NULL));
	zend_string_release(property_peakMemory_name);

	return class_entry;
}

static zend_class_entry *register_class_Safehold_StopReport(zend_class_entry *class_entry_Stringable)
{
	zend_class_entry ce, *class_entry;

	INIT_NS_CLASS_ENTRY(ce, "Safehold", "StopReport", class_Safehold_StopReport_methods);
	class_entry = zend_register_internal_class_ex(&ce, NULL);
	class_entry->ce_flags |= ZEND_ACC_FINAL|ZEND_ACC_NO_DYNAMIC_PROPERTIES|ZEND_ACC_NOT_SERIALIZABLE;
	zend_class_implements(class_entry, 1, class_entry_Stringable);

	zval const_WAS_GONE_value;
	ZVAL_LONG(&const_WAS_GONE_value, SAFE_STOP_WAS_GONE);
	zend_string *const_WAS_GONE_name = zend_string_init_interned("WAS_GONE", sizeof("WAS_GONE") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_WAS_GONE_name, &const_WAS_GONE_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_WAS_GONE_name);

	zval const_POLITE_value;
	ZVAL_LONG(&const_POLITE_value, SAFE_STOP_POLITE);
	zend_string *const_POLITE_name = zend_string_init_interned("POLITE", sizeof("POLITE") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_POLITE_name, &const_POLITE_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_POLITE_name);

	zval const_FORCED_value;
	ZVAL_LONG(&const_FORCED_value, SAFE_STOP_FORCED);
	zend_string *const_FORCED_name = zend_string_init_interned("FORCED", sizeof("FORCED") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_FORCED_name, &const_FORCED_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_FORCED_name);

	zval const_STUCK_value;
	ZVAL_LONG(&const_STUCK_value, SAFE_STOP_STUCK);
	zend_string *const_STUCK_name = zend_string_init_interned("STUCK", sizeof("STUCK") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_STUCK_name, &const_STUCK_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_STUCK_name);

	zval property_verdict_default_value;
	ZVAL_UNDEF(&property_verdict_default_value);
	zend_string *property_verdict_name = zend_string_init("verdict", sizeof("verdict") - 1, 1);
	zend_declare_typed_property(class_entry, property_verdict_name, &property_verdict_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_LONG));
	zend_string_release(property_verdict_name);

	zend_string *property_status_class_Safehold_ExitStatus = zend_string_init("Safehold\\ExitStatus", sizeof("Safehold\\ExitStatus")-1, 1);
	zval property_status_default_value;
	ZVAL_UNDEF(&property_status_default_value);
	zend_string *property_status_name = zend_string_init("status", sizeof("status") - 1, 1);
	zend_declare_typed_property(class_entry, property_status_name, &property_status_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_CLASS(property_status_class_Safehold_ExitStatus, 0, MAY_BE_NULL));
	zend_string_release(property_status_name);

	zval property_left_default_value;
	ZVAL_UNDEF(&property_left_default_value);
	zend_string *property_left_name = zend_string_init("left", sizeof("left") - 1, 1);
	zend_declare_typed_property(class_entry, property_left_name, &property_left_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_ARRAY));
	zend_string_release(property_left_name);

	zval property_state_default_value;
	ZVAL_UNDEF(&property_state_default_value);
	zend_string *property_state_name = zend_string_init("state", sizeof("state") - 1, 1);
	zend_declare_typed_property(class_entry, property_state_name, &property_state_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_STRING|MAY_BE_NULL));
	zend_string_release(property_state_name);

	zval property_waitChannel_default_value;
	ZVAL_UNDEF(&property_waitChannel_default_value);
	zend_string *property_waitChannel_name = zend_string_init("waitChannel", sizeof("waitChannel") - 1, 1);
	zend_declare_typed_property(class_entry, property_waitChannel_name, &property_waitChannel_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_STRING|MAY_BE_NULL));
	zend_string_release(property_waitChannel_name);

	zval property_message_default_value;
	ZVAL_UNDEF(&property_message_default_value);
	zend_string *property_message_name = zend_string_init("message", sizeof("message") - 1, 1);
	zend_declare_typed_property(class_entry, property_message_name, &property_message_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_STRING|MAY_BE_NULL));
	zend_string_release(property_message_name);

	return class_entry;
}

static zend_class_entry *register_class_Safehold_Output(void)
{
	zend_class_entry ce, *class_entry;

	INIT_NS_CLASS_ENTRY(ce, "Safehold", "Output", class_Safehold_Output_methods);
	class_entry = zend_register_internal_class_ex(&ce, NULL);
	class_entry->ce_flags |= ZEND_ACC_FINAL|ZEND_ACC_NO_DYNAMIC_PROPERTIES|ZEND_ACC_NOT_SERIALIZABLE;

	zval property_stdout_default_value;
	ZVAL_UNDEF(&property_stdout_default_value);
	zend_string *property_stdout_name = zend_string_init("stdout", sizeof("stdout") - 1, 1);
	zend_declare_typed_property(class_entry, property_stdout_name, &property_stdout_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_STRING));
	zend_string_release(property_stdout_name);

	zval property_stderr_default_value;
	ZVAL_UNDEF(&property_stderr_default_value);
	zend_string *property_stderr_name = zend_string_init("stderr", sizeof("stderr") - 1, 1);
	zend_declare_typed_property(class_entry, property_stderr_name, &property_stderr_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_STRING));
	zend_string_release(property_stderr_name);

	zval property_stdoutCut_default_value;
	ZVAL_UNDEF(&property_stdoutCut_default_value);
	zend_string *property_stdoutCut_name = zend_string_init("stdoutCut", sizeof("stdoutCut") - 1, 1);
	zend_declare_typed_property(class_entry, property_stdoutCut_name, &property_stdoutCut_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_BOOL));
	zend_string_release(property_stdoutCut_name);

	zval property_stderrCut_default_value;
	ZVAL_UNDEF(&property_stderrCut_default_value);
	zend_string *property_stderrCut_name = zend_string_init("stderrCut", sizeof("stderrCut") - 1, 1);
	zend_declare_typed_property(class_entry, property_stderrCut_name, &property_stderrCut_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_BOOL));
	zend_string_release(property_stderrCut_name);

	zval property_stdoutTotal_default_value;
	ZVAL_UNDEF(&property_stdoutTotal_default_value);
	zend_string *property_stdoutTotal_name = zend_string_init("stdoutTotal", sizeof("stdoutTotal") - 1, 1);
	zend_declare_typed_property(class_entry, property_stdoutTotal_name, &property_stdoutTotal_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_LONG));
	zend_string_release(property_stdoutTotal_name);

	zval property_stderrTotal_default_value;
	ZVAL_UNDEF(&property_stderrTotal_default_value);
	zend_string *property_stderrTotal_name = zend_string_init("stderrTotal", sizeof("stderrTotal") - 1, 1);
	zend_declare_typed_property(class_entry, property_stderrTotal_name, &property_stderrTotal_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_LONG));
	zend_string_release(property_stderrTotal_name);

	zval property_heldOpen_default_value;
	ZVAL_UNDEF(&property_heldOpen_default_value);
	zend_string *property_heldOpen_name = zend_string_init("heldOpen", sizeof("heldOpen") - 1, 1);
	zend_declare_typed_property(class_entry, property_heldOpen_name, &property_heldOpen_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_BOOL));
	zend_string_release(property_heldOpen_name);

	zval property_inputRefused_default_value;
	ZVAL_UNDEF(&property_inputRefused_default_value);
	zend_string *property_inputRefused_name = zend_string_init("inputRefused", sizeof("inputRefused") - 1, 1);
	zend_declare_typed_property(class_entry, property_inputRefused_name, &property_inputRefused_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_BOOL));
	zend_string_release(property_inputRefused_name);

	zend_string *property_status_class_Safehold_ExitStatus = zend_string_init("Safehold\\ExitStatus", sizeof("Safehold\\ExitStatus")-1, 1);
	zval property_status_default_value;
	ZVAL_UNDEF(&property_status_default_value);
	zend_string *property_status_name = zend_string_init("status", sizeof("status") - 1, 1);
	zend_declare_typed_property(class_entry, property_status_name, &property_status_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_CLASS(property_status_class_Safehold_ExitStatus, 0, MAY_BE_NULL));
	zend_string_release(property_status_name);

	return class_entry;
}

