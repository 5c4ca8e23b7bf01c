/* Loading C plugins. The stamp is read from the file's ELF note before anything in it can run; only a
 * file that fits this host is then loaded. Runs in the scout and in runners, never in the supervisor. */
#ifndef DEBRIEF_CHECK_LOADER_H
#define DEBRIEF_CHECK_LOADER_H

#include "base/err.h"
#include "debrief/plugin.h"
#include <stdbool.h>
#include <stddef.h>

/* Reads the stamp; false with a refusal that names the file, both versions and the remedy. *OUT is
 * filled (name and version made NUL-terminated) as soon as there is a stamp at all, refused or not. */
bool loader_stamp(const char *path, struct debrief_stamp *out, struct err *err);

struct loader; /* a loaded plugin; never unloaded, as its code may have left pointers anywhere */

struct loader *loader_open(const char *path, struct err *err);
const char *loader_name(const struct loader *loader);
const char *loader_version(const struct loader *loader);
size_t loader_checks(const struct loader *loader);

/* Rows as this host knows them, whatever their size in the plugin: what an older plugin does not have
 * is zero. False at the end of the list. */
bool loader_check(const struct loader *loader, size_t i, struct debrief_check *out);
bool loader_finding(const struct loader *loader, const struct debrief_check *check, size_t i,
                    struct debrief_finding_type *out);
bool loader_event(const struct loader *loader, const struct debrief_check *check, size_t i,
                  struct debrief_event *out);
bool loader_param(const struct loader *loader, const struct debrief_check *check, size_t i,
                  struct debrief_param *out);

#endif
