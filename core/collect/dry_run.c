/* Collect: the dry run. Reads the target and the file system, prints what would be asked of whom.
 * Deliberately opens nothing and connects to nothing. */
#include "collect/admin.h"
#include "collect/collect.h"
#include "collect/files.h"

void collect_dry_run(const struct target *target, const struct collect_options *options)
{
    if (target->kind == TARGET_ADMIN || target->kind == TARGET_UNIX)
        admin_dry_run(target, options);
    else if (target->kind != TARGET_FILES)
        files_dry_run(target->address);
    for (size_t i = 0; i < target->evidence_len; i++)
        files_dry_run(target->evidence[i]);
}
