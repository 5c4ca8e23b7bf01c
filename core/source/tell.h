/* What is said on standard error: the one way there. Secrets are removed as from a report, controls of a
 * terminal too, and long subjects are cut (err.h). */
#ifndef DEBRIEF_SOURCE_TELL_H
#define DEBRIEF_SOURCE_TELL_H

#include "source/redact.h"

#include <stdarg.h>

/* Patterns of the user's that hide something from now on, too; they have been judged before. */
void tell_hide(const struct redact_pattern *patterns, size_t len);

void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
void vtell(const char *lead, const char *format, va_list args)
    __attribute__((format(printf, 2, 0))); /* behind LEAD */

#endif
