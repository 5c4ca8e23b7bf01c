/* An arena: many small pieces with one lifetime, freed together. Not shared between threads.
 * Everything an arena returns lives until arena_free and must not be passed to free(). */
#ifndef DEBRIEF_BASE_ARENA_H
#define DEBRIEF_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena); /* NULL is fine */

void *arena_alloc(struct arena *arena, size_t size); /* zeroed, aligned for any type */
char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t len);
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *arena, const char *format, va_list args);
size_t arena_used(const struct arena *arena); /* bytes handed out so far */

#endif
