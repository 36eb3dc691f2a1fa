#include "php.h"
static const zend_function_entry ext_functions[] = {ZEND_FE_END};
