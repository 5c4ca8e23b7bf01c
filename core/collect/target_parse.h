/* What target.c and targets.c share: adding single targets to a list. */
#ifndef DEBRIEF_COLLECT_TARGET_PARSE_H
#define DEBRIEF_COLLECT_TARGET_PARSE_H

#include "collect/target.h"

/* NAME and ADDRESS are copied; valid until the next add. */
struct target *target_add(struct targets *targets, enum target_kind kind, const char *name,
                          const char *address);
/* Adds what lies at PATH, an archive or a directory: one target, or with several proxies there one for each,
 * NAME#MEMBER, and one for what is nobody's own. */
void target_add_tree(struct targets *targets, enum target_kind kind, const char *path);
void target_leave_fleet(struct target *target);
/* The one at INDEX; the others keep their order. */
void target_remove(struct targets *targets, size_t index);
void target_add_evidence(struct target *target, const char *path);

/* Adds what ARGUMENT names (a directory of bundles gives several), or says that it is a plain
 * *file, which is the caller's to add. */
bool target_parse(struct targets *targets, const char *argument, bool *file, struct err *err);

/* Adds PATH to the one target of plain files, whose index is *FILES (SIZE_MAX: none yet); its
 * name is settled when all are known. */
void target_add_file(struct targets *targets, size_t *files, const char *path);
void target_name_files(struct targets *targets, size_t files);

#endif
