/* Many proxies in one place: which files of an archive or a directory belong to one proxy each (istioctl
 * bug-report, egctl collect, several bundles in one archive, a cluster's logs, what somebody's own
 * script saved), and which to none of them. */
#ifndef DEBRIEF_COLLECT_FLEET_H
#define DEBRIEF_COLLECT_FLEET_H

#include "base/arena.h"
#include <stdbool.h>
#include <stddef.h>

#define FLEET_REST ((size_t)-1) /* the owner of what belongs to no proxy */

struct fleet_member {
    const char *name;   /* what tells it from the others: its folder, or NAMESPACE/POD */
    const char *pod;    /* NAMESPACE/POD, as the path has it; NULL when it does not tell */
    const char *folder; /* the one folder that holds all it has; NULL when it has several places */
};

struct fleet_path { /* a folder or a file that is a member's alone */
    const char *path;
    size_t member;
};

struct fleet {
    struct arena *arena;
    struct fleet_member *members; /* sorted by name */
    size_t len;                   /* 0, or at least two */
    struct fleet_path *paths;     /* sorted; none lies inside another */
    size_t paths_len;
    size_t files; /* how many files lie outside of all of them */
    size_t users; /* targets that refer to it */
};

/* A file by its path, separated by '/'. */
struct fleet_file {
    const char *name;
    bool proxy; /* a pod's log, in which a proxy is among those who speak */
};

void fleet_find(struct fleet *fleet, const struct fleet_file *files, size_t len);
void fleet_release(struct fleet *fleet);

/* The same for what lies in a directory or an archive, archives within it included. */
void fleet_of_directory(struct fleet *fleet, const char *path);
void fleet_of_archive(struct fleet *fleet, const char *path);

/* Whose NAME is: a member, or FLEET_REST. */
size_t fleet_owner(const struct fleet *fleet, const char *name);
/* Whether something of MEMBER's lies below NAME, an archive in the archive. */
bool fleet_holds(const struct fleet *fleet, size_t member, const char *name);

/* Whether NAME, which is nobody's own, may tell of the cluster in which all of them live: no pod's log. */
bool fleet_shared(const char *name);

/* Whether NAME lies below FOLDER. */
bool fleet_below(const char *name, const char *folder);

#endif
