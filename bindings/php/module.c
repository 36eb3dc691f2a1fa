/* SPDX-License-Identifier: MIT */
/* The module's life: settings, start, end, and what phpinfo() says. */
#include "php_safehold.h"

#include "api.h"
#include "environment.h"
#include "ext/standard/info.h"
#include "replace.h"
#include "safehold_arginfo.h"
#include "settings.h"
#include "wait.h"

#ifndef PHP_WIN32
#include <dlfcn.h>
#endif

ZEND_DECLARE_MODULE_GLOBALS(safehold)

PHP_INI_BEGIN()
STD_PHP_INI_ENTRY("safehold.replace", "", PHP_INI_SYSTEM, OnUpdateString, replace, zend_safehold_globals,
                  safehold_globals)
STD_PHP_INI_ENTRY("safehold.lock_timeout", "60", PHP_INI_ALL, safehold_update_timeout, lock_timeout,
                  zend_safehold_globals, safehold_globals)
STD_PHP_INI_ENTRY("safehold.session_lock_timeout", "-1", PHP_INI_ALL, safehold_update_timeout, session_lock_timeout,
                  zend_safehold_globals, safehold_globals)
STD_PHP_INI_ENTRY("safehold.exec_timeout", "3600", PHP_INI_ALL, safehold_update_timeout, exec_timeout,
                  zend_safehold_globals, safehold_globals)
STD_PHP_INI_ENTRY("safehold.stop_grace", "2", PHP_INI_ALL, safehold_update_grace, stop_grace, zend_safehold_globals,
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
  safehold_environment_startup();
  safehold_register_exceptions();
  safehold_register_explain();
  safehold_register_lock();
  safehold_register_process();
  safehold_register_session();
  return safehold_replace_all(SAFEHOLD_G(replace));
}

/* A host that unloads its modules (Apache's reload) leaves this one's code where it is. */
static void stay_loaded(void) {
#ifdef PHP_WIN32
  HMODULE self;

  GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                     (const char *)&safehold_module_entry, &self);
#else
  Dl_info self;

  if (dladdr(&safehold_module_entry, &self) != 0) dlopen(self.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
#endif
}

static PHP_MSHUTDOWN_FUNCTION(safehold) {
  safehold_replace_none();
  safehold_wait_shutdown();
  UNREGISTER_INI_ENTRIES();
  /* What the kernel does not let go of runs our code when it comes back. */
  if (safe_shutdown(1000) != SAFE_OK) stay_loaded();
  return SUCCESS;
}

static PHP_RINIT_FUNCTION(safehold) {
#if defined(ZTS) && defined(COMPILE_DL_SAFEHOLD)
  ZEND_TSRMLS_CACHE_UPDATE();
#endif
  SAFEHOLD_G(waited) = 0;
  return SUCCESS;
}

static ZEND_MODULE_POST_ZEND_DEACTIVATE_D(safehold) {
  safehold_popen_request_end();
  SAFEHOLD_G(waited) = 0; /* session.auto_start waits before our RINIT */
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
  php_info_print_table_row(2, "Core library", safe_version());
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
  ZEND_MODULE_POST_ZEND_DEACTIVATE_N(safehold),
  STANDARD_MODULE_PROPERTIES_EX,
};

#ifdef COMPILE_DL_SAFEHOLD
#ifdef ZTS
ZEND_TSRMLS_CACHE_DEFINE()
#endif
ZEND_GET_MODULE(safehold)
#endif
