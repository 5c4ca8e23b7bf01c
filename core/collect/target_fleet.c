/* Collect: targets that live in one archive or directory. Reads names of files through fleet.c; writes a
 * target for each proxy, and one for what is nobody's own. Deliberately gives each proxy a view of the
 * cluster's files beside its own: readers keep of them what concerns its pod. */
#include "base/alloc.h"
#include "base/str.h"
#include "collect/fleet.h"
#include "collect/target_parse.h"

#include <stdlib.h>

static void join_fleet(struct target *target, struct fleet *fleet, size_t member)
{
    target->fleet = fleet;
    target->member = member;
    fleet->users++;
}

void target_leave_fleet(struct target *target)
{
    if (target->fleet && --target->fleet->users == 0) {
        fleet_release(target->fleet);
        free(target->fleet);
    }
    target->fleet = NULL;
}

static void add_one(struct targets *targets, enum target_kind kind, const char *path,
                    struct fleet *fleet, size_t member)
{
    char *name = xasprintf("%s#%s", path,
                           member == FLEET_REST ? "(the rest)" : fleet->members[member].name);
    join_fleet(target_add(targets, kind, name, path), fleet, member);
    free(name);
}

void target_add_tree(struct targets *targets, enum target_kind kind, const char *path)
{
    struct fleet *fleet = xcalloc(1, sizeof *fleet);
    if (kind == TARGET_ARCHIVE)
        fleet_of_archive(fleet, path);
    else
        fleet_of_directory(fleet, path);
    for (size_t i = 0; i < fleet->len; i++)
        add_one(targets, kind, path, fleet, i);
    if (fleet->len && fleet->files)
        add_one(targets, kind, path, fleet, FLEET_REST);
    if (fleet->len)
        return;
    target_add(targets, kind, path, path);
    fleet_release(fleet);
    free(fleet);
}

bool target_shares(const struct target *target, const char *name)
{
    if (!target || !target->fleet || target->member == FLEET_REST)
        return false;
    return target->fleet->members[target->member].pod &&
           fleet_owner(target->fleet, name) == FLEET_REST && fleet_shared(name);
}

bool target_takes(const struct target *target, const char *name)
{
    if (!target || !target->fleet || fleet_owner(target->fleet, name) == target->member)
        return true;
    return target_shares(target, name) ||
           (target->member != FLEET_REST && fleet_holds(target->fleet, target->member, name));
}
