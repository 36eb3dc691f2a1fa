/* SPDX-License-Identifier: MIT */
/* The module's life: settings, start, end, and what phpinfo() says. */
#include "php_safehold.h"

#include "api.h"
#include "ext/standard/info.h"
#include "replace.h"
#include "safehold_arginfo.h"
#include "wait.h"

ZEND_DECLARE_MODULE_GLOBALS(safehold)

PHP_INI_BEGIN()
STD_PHP_INI_ENTRY("safehold.replace", "", PHP_INI_SYSTEM, OnUpdateString, replace, zend_safehold_globals,
                  safehold_globals)
STD_PHP_INI_ENTRY("safehold.lock_timeout", "60", PHP_INI_ALL, OnUpdateReal, lock_timeout, zend_safehold_globals,
                  safehold_globals)
STD_PHP_INI_ENTRY("safehold.session_lock_timeout", "-1", PHP_INI_ALL, OnUpdateReal, session_lock_timeout,
                  zend_safehold_globals, safehold_globals)
STD_PHP_INI_ENTRY("safehold.exec_timeout", "3600", PHP_INI_ALL, OnUpdateReal, exec_timeout, zend_safehold_globals,
                  safehold_globals)
STD_PHP_INI_ENTRY("safehold.stop_grace", "2", PHP_INI_ALL, OnUpdateReal, stop_grace, zend_safehold_globals,
                  safehold_globals)
PHP_INI_END()

static PHP_GINIT_FUNCTION(safehold) {
#if defined(COMPILE_DL_SAFEHOLD) && defined(ZTS)
  ZEND_TSRMLS_CACHE_UPDATE();
#endif
  memset(safehold_globals, 0, sizeof(*safehold_globals));
}

static PHP_MINIT_FUNCTION(safehold) {
  REGISTER_INI_ENTRIES();
  safehold_wait_startup();
  safehold_register_exceptions();
  safehold_register_explain();
  safehold_register_lock();
  safehold_register_process();
  safehold_register_session();
  return safehold_replace_all(SAFEHOLD_G(replace));
}

static PHP_MSHUTDOWN_FUNCTION(safehold) {
  safehold_replace_none();
  safehold_wait_shutdown();
  UNREGISTER_INI_ENTRIES();
  /* What is parked must not be left without the code that looks after it. */
  safe_shutdown(1000);
  return SUCCESS;
}

static PHP_RINIT_FUNCTION(safehold) {
#if defined(ZTS) && defined(COMPILE_DL_SAFEHOLD)
  ZEND_TSRMLS_CACHE_UPDATE();
#endif
  SAFEHOLD_G(waited) = 0;
  return SUCCESS;
}

PHP_FUNCTION(Safehold_version) {
  ZEND_PARSE_PARAMETERS_NONE();
  RETURN_STRING(safe_version());
}

static PHP_MINFO_FUNCTION(safehold) {
  php_info_print_table_start();
  php_info_print_table_row(2, "Safehold", "enabled");
  php_info_print_table_row(2, "Version", PHP_SAFEHOLD_VERSION);
  php_info_print_table_row(2, "Replaced functions", safehold_replaced());
  php_info_print_table_end();
  DISPLAY_INI_ENTRIES();
}

/* Those whose functions are replaced have to be there first. */
static const zend_module_dep dependencies[] = {ZEND_MOD_REQUIRED("standard") ZEND_MOD_OPTIONAL("session")
                                                 ZEND_MOD_OPTIONAL("spl") ZEND_MOD_END};

zend_module_entry safehold_module_entry = {
  STANDARD_MODULE_HEADER_EX,
  NULL,
  dependencies,
  "safehold",
  ext_functions,
  PHP_MINIT(safehold),
  PHP_MSHUTDOWN(safehold),
  PHP_RINIT(safehold),
  NULL,
  PHP_MINFO(safehold),
  PHP_SAFEHOLD_VERSION,
  PHP_MODULE_GLOBALS(safehold),
  PHP_GINIT(safehold),
  NULL,
  NULL,
  STANDARD_MODULE_PROPERTIES_EX,
};

#ifdef COMPILE_DL_SAFEHOLD
#ifdef ZTS
ZEND_TSRMLS_CACHE_DEFINE()
#endif
ZEND_GET_MODULE(safehold)
#endif
