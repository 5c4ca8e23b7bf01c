/* Memory that cannot fail: this is a tool with capped inputs, so running out of memory aborts the
 * process, and in a batch that costs one target only. All results are the caller's to free(). */
#ifndef DEBRIEF_BASE_ALLOC_H
#define DEBRIEF_BASE_ALLOC_H

#include <stdarg.h>
#include <stddef.h>

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t len);
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A bug in debrief itself, never bad input: says where and aborts, in every build. */
#define BUG(...) bug_at(__FILE__, __LINE__, __VA_ARGS__)
_Noreturn void bug_at(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
