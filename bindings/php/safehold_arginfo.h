/* SPDX-License-Identifier: MIT */
/* clang-format off */
/* This is a generated file, edit the .stub.php file instead.
 * Stub hash: da7cb3bd584ea83182cc9104202c8c1d9843598a */

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_Safehold_version, 0, 0, IS_STRING, 0)
ZEND_END_ARG_INFO()


ZEND_FUNCTION(Safehold_version);


static const zend_function_entry ext_functions[] = {
	ZEND_NS_FALIAS("Safehold", version, Safehold_version, arginfo_Safehold_version)
	ZEND_FE_END
};

