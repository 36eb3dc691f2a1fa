/* SPDX-License-Identifier: MIT */
/* clang-format off */
/* This is a generated file, edit the .stub.php file instead.
 * Stub hash: e541aca569b8b429d3b75bba38d790d518609879 */

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Safehold_Exception_getSafeCode, 0, 0, IS_STRING, 0)
ZEND_END_ARG_INFO()

#define arginfo_class_Safehold_Exception_getStage arginfo_class_Safehold_Exception_getSafeCode

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Safehold_Exception_getIndex, 0, 0, IS_LONG, 0)
ZEND_END_ARG_INFO()

#define arginfo_class_Safehold_Exception_getOsCode arginfo_class_Safehold_Exception_getIndex

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Safehold_TimeoutException_getHolders, 0, 0, IS_ARRAY, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Safehold_TimeoutException_getHolderPid, 0, 0, IS_LONG, 1)
ZEND_END_ARG_INFO()


ZEND_METHOD(Safehold_Exception, getSafeCode);
ZEND_METHOD(Safehold_Exception, getStage);
ZEND_METHOD(Safehold_Exception, getIndex);
ZEND_METHOD(Safehold_Exception, getOsCode);
ZEND_METHOD(Safehold_TimeoutException, getHolders);
ZEND_METHOD(Safehold_TimeoutException, getHolderPid);


static const zend_function_entry class_Safehold_Exception_methods[] = {
	ZEND_ME(Safehold_Exception, getSafeCode, arginfo_class_Safehold_Exception_getSafeCode, ZEND_ACC_PUBLIC|ZEND_ACC_FINAL)
	ZEND_ME(Safehold_Exception, getStage, arginfo_class_Safehold_Exception_getStage, ZEND_ACC_PUBLIC|ZEND_ACC_FINAL)
	ZEND_ME(Safehold_Exception, getIndex, arginfo_class_Safehold_Exception_getIndex, ZEND_ACC_PUBLIC|ZEND_ACC_FINAL)
	ZEND_ME(Safehold_Exception, getOsCode, arginfo_class_Safehold_Exception_getOsCode, ZEND_ACC_PUBLIC|ZEND_ACC_FINAL)
	ZEND_FE_END
};


static const zend_function_entry class_Safehold_TimeoutException_methods[] = {
	ZEND_ME(Safehold_TimeoutException, getHolders, arginfo_class_Safehold_TimeoutException_getHolders, ZEND_ACC_PUBLIC|ZEND_ACC_FINAL)
	ZEND_ME(Safehold_TimeoutException, getHolderPid, arginfo_class_Safehold_TimeoutException_getHolderPid, ZEND_ACC_PUBLIC|ZEND_ACC_FINAL)
	ZEND_FE_END
};


static const zend_function_entry class_Safehold_DeadlockException_methods[] = {
	ZEND_FE_END
};


static const zend_function_entry class_Safehold_StuckException_methods[] = {
	ZEND_FE_END
};


static const zend_function_entry class_Safehold_LostException_methods[] = {
	ZEND_FE_END
};


static const zend_function_entry class_Safehold_OwnerException_methods[] = {
	ZEND_FE_END
};


static const zend_function_entry class_Safehold_PathException_methods[] = {
	ZEND_FE_END
};


static const zend_function_entry class_Safehold_UnsupportedException_methods[] = {
	ZEND_FE_END
};

static zend_class_entry *register_class_Safehold_Exception(zend_class_entry *class_entry_RuntimeException)
{
	zend_class_entry ce, *class_entry;

	INIT_NS_CLASS_ENTRY(ce, "Safehold", "Exception", class_Safehold_Exception_methods);
	class_entry = zend_register_internal_class_ex(&ce, class_entry_RuntimeException);

	zval property_safeCode_default_value;
	ZVAL_EMPTY_STRING(&property_safeCode_default_value);
	zend_string *property_safeCode_name = zend_string_init("safeCode", sizeof("safeCode") - 1, 1);
	zend_declare_typed_property(class_entry, property_safeCode_name, &property_safeCode_default_value, ZEND_ACC_PROTECTED, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_STRING));
	zend_string_release(property_safeCode_name);

	zval property_stage_default_value;
	ZVAL_EMPTY_STRING(&property_stage_default_value);
	zend_string *property_stage_name = zend_string_init("stage", sizeof("stage") - 1, 1);
	zend_declare_typed_property(class_entry, property_stage_name, &property_stage_default_value, ZEND_ACC_PROTECTED, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_STRING));
	zend_string_release(property_stage_name);

	zval property_index_default_value;
	ZVAL_LONG(&property_index_default_value, -1);
	zend_string *property_index_name = zend_string_init("index", sizeof("index") - 1, 1);
	zend_declare_typed_property(class_entry, property_index_name, &property_index_default_value, ZEND_ACC_PROTECTED, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_LONG));
	zend_string_release(property_index_name);

	zval property_osCode_default_value;
	ZVAL_LONG(&property_osCode_default_value, 0);
	zend_string *property_osCode_name = zend_string_init("osCode", sizeof("osCode") - 1, 1);
	zend_declare_typed_property(class_entry, property_osCode_name, &property_osCode_default_value, ZEND_ACC_PROTECTED, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_LONG));
	zend_string_release(property_osCode_name);

	return class_entry;
}

static zend_class_entry *register_class_Safehold_TimeoutException(zend_class_entry *class_entry_Safehold_Exception)
{
	zend_class_entry ce, *class_entry;

	INIT_NS_CLASS_ENTRY(ce, "Safehold", "TimeoutException", class_Safehold_TimeoutException_methods);
	class_entry = zend_register_internal_class_ex(&ce, class_entry_Safehold_Exception);

	zval property_holders_default_value;
	ZVAL_EMPTY_ARRAY(&property_holders_default_value);
	zend_string *property_holders_name = zend_string_init("holders", sizeof("holders") - 1, 1);
	zend_declare_typed_property(class_entry, property_holders_name, &property_holders_default_value, ZEND_ACC_PROTECTED, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_ARRAY));
	zend_string_release(property_holders_name);

	zval property_holderPid_default_value;
	ZVAL_NULL(&property_holderPid_default_value);
	zend_string *property_holderPid_name = zend_string_init("holderPid", sizeof("holderPid") - 1, 1);
	zend_declare_typed_property(class_entry, property_holderPid_name, &property_holderPid_default_value, ZEND_ACC_PROTECTED, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_LONG|MAY_BE_NULL));
	zend_string_release(property_holderPid_name);

	return class_entry;
}

static zend_class_entry *register_class_Safehold_DeadlockException(zend_class_entry *class_entry_Safehold_Exception)
{
	zend_class_entry ce, *class_entry;

	INIT_NS_CLASS_ENTRY(ce, "Safehold", "DeadlockException", class_Safehold_DeadlockException_methods);
	class_entry = zend_register_internal_class_ex(&ce, class_entry_Safehold_Exception);

	return class_entry;
}

static zend_class_entry *register_class_Safehold_StuckException(zend_class_entry *class_entry_Safehold_Exception)
{
	zend_class_entry ce, *class_entry;

	INIT_NS_CLASS_ENTRY(ce, "Safehold", "StuckException", class_Safehold_StuckException_methods);
	class_entry = zend_register_internal_class_ex(&ce, class_entry_Safehold_Exception);

	return class_entry;
}

static zend_class_entry *register_class_Safehold_LostException(zend_class_entry *class_entry_Safehold_Exception)
{
	zend_class_entry ce, *class_entry;

	INIT_NS_CLASS_ENTRY(ce, "Safehold", "LostException", class_Safehold_LostException_methods);
	class_entry = zend_register_internal_class_ex(&ce, class_entry_Safehold_Exception);

	return class_entry;
}

static zend_class_entry *register_class_Safehold_OwnerException(zend_class_entry *class_entry_Safehold_Exception)
{
	zend_class_entry ce, *class_entry;

	INIT_NS_CLASS_ENTRY(ce, "Safehold", "OwnerException", class_Safehold_OwnerException_methods);
	class_entry = zend_register_internal_class_ex(&ce, class_entry_Safehold_Exception);

	return class_entry;
}

static zend_class_entry *register_class_Safehold_PathException(zend_class_entry *class_entry_Safehold_Exception)
{
	zend_class_entry ce, *class_entry;

	INIT_NS_CLASS_ENTRY(ce, "Safehold", "PathException", class_Safehold_PathException_methods);
	class_entry = zend_register_internal_class_ex(&ce, class_entry_Safehold_Exception);

	return class_entry;
}

static zend_class_entry *register_class_Safehold_UnsupportedException(zend_class_entry *class_entry_Safehold_Exception)
{
	zend_class_entry ce, *class_entry;

	INIT_NS_CLASS_ENTRY(ce, "Safehold", "UnsupportedException", class_Safehold_UnsupportedException_methods);
	class_entry = zend_register_internal_class_ex(&ce, class_entry_Safehold_Exception);

	return class_entry;
}

