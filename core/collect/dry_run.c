/* Collect: the dry run. Reads the target and the file system, prints what would be asked of whom.
 * Deliberately connects to nothing, and opens only
 * local files that tell what would be probed. */
#include "collect/admin.h"
#include "collect/collect.h"
#include "collect/ecs.h"
#include "collect/files.h"
#include "collect/host.h"
#include "collect/kube.h"
#include "collect/probe.h"

void collect_dry_run(const struct target *target, const struct collect_options *options)
{
    if (target->kind == TARGET_ADMIN || target->kind == TARGET_UNIX)
        admin_dry_run(target, options);
    else if (target->kind == TARGET_KUBE)
        kube_dry_run(target->address, true, options);
    else if (target->kind == TARGET_ECS)
        ecs_dry_run(target->address);
    else if (target->kind == TARGET_HOST)
        host_dry_run();
    else if (target->kind != TARGET_FILES)
        files_dry_run(target->address, target);
    if (target->kube)
        kube_dry_run(target->kube, false, options);
    if (target->aws)
        ecs_dry_run(target->aws);
    if (target->host)
        host_dry_run();
    for (size_t i = 0; i < target->evidence_len; i++)
        files_dry_run(target->evidence[i], NULL);
    if (options->probe)
        probe_dry_run(target);
}
