/* SPDX-License-Identifier: MIT */
/* clang-format off */
/* This is a generated file, edit the .stub.php file instead.
 * Stub hash: 01ca9dddf00b12b1d43c4bb19134633dcfc1845b */

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_Safehold_version, 0, 0, IS_STRING, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_OBJ_INFO_EX(arginfo_Safehold_why, 0, 1, Safehold\\Explanation, 0)
	ZEND_ARG_TYPE_MASK(0, target, MAY_BE_STRING|MAY_BE_LONG, NULL)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, timeout, IS_DOUBLE, 0, "1.0")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_Safehold_leaks, 0, 0, IS_ARRAY, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, pid, IS_LONG, 1, "null")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, timeout, IS_DOUBLE, 0, "1.0")
ZEND_END_ARG_INFO()


ZEND_FUNCTION(Safehold_version);
ZEND_FUNCTION(Safehold_why);
ZEND_FUNCTION(Safehold_leaks);


static const zend_function_entry ext_functions[] = {
	ZEND_NS_FALIAS("Safehold", version, Safehold_version, arginfo_Safehold_version)
	ZEND_NS_FALIAS("Safehold", why, Safehold_why, arginfo_Safehold_why)
	ZEND_NS_FALIAS("Safehold", leaks, Safehold_leaks, arginfo_Safehold_leaks)
	ZEND_FE_END
};

