/* Errors by value: functions return 0 or -1 with one line in a struct meta_error; only the command-line
   layer prints or exits.  struct meta_error and meta_fail() live in plugins/plugin.h, which plugins share. */
#ifndef META_ERROR_H
#define META_ERROR_H
#include "../../plugins/plugin.h"
#endif
