/* What to look at. Parsing a target says what kind of thing it names; it asks the file system
 * (is it a directory?), never the network. */
#ifndef DEBRIEF_COLLECT_TARGET_H
#define DEBRIEF_COLLECT_TARGET_H

#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>

enum target_kind {
    TARGET_ADMIN, /* http[s]://HOST:PORT or HOST:PORT */
    TARGET_UNIX,  /* unix:PATH */
    TARGET_DIRECTORY,
    TARGET_ARCHIVE,
    TARGET_KUBE,  /* k8s:[NAMESPACE/][KIND/]NAME */
    TARGET_ECS,   /* ecs:CLUSTER/TASK, ecs:CLUSTER/service/NAME */
    TARGET_HOST,  /* --host: an Envoy of this machine */
    TARGET_FILES, /* plain files named in one call, standard input among them ("-") */
};

struct target {
    enum target_kind kind;
    char *name;    /* as reports show it: the argument, or name= from a list */
    char *address; /* URL without a trailing slash (TARGET_ADMIN), socket path (TARGET_UNIX), path,
                   * what stands behind k8s: or ecs:, process number or "" (TARGET_HOST) */
    char *via;     /* how else than by its name ADDRESS is reached, for people; NULL */
    char *kube, *aws; /* --kube and --aws: whom else to ask; NULL */
    bool host;        /* --host: what this machine says of it is evidence too */
    struct fleet
        *fleet;      /* of an archive or a directory with several proxies: whose is what; NULL */
    size_t member;   /* which of them this is, or FLEET_REST: what is nobody's own */
    char **evidence; /* further files and directories; for TARGET_FILES the files themselves */
    size_t evidence_len;
};

struct targets {
    struct target *items;
    size_t len, cap;
};

/* Whether the file NAME of an archive or a directory is to be collected for TARGET (NULL: it is): its own,
 * or what may tell of the cluster that it shares with others. */
bool target_takes(const struct target *target, const char *name);
bool target_shares(const struct target *target, const char *name);

/* Whether an admin address is asked, rather than what was saved of one. */
bool target_has_admin(const struct target *target);

void targets_init(struct targets *targets);
void targets_release(struct targets *targets);

/* Adds what ARGUMENTS name: each address, directory and archive is a target of its own, plain files
 * together are one. False with a usage error ("no such file 'x'; ..."). */
bool targets_from_arguments(struct targets *targets, char *const *arguments, size_t len,
                            struct err *err);

/* Reads a list: one target a line, then optionally name=NAME; '#' starts a comment; or YAML, a
 * list of {target, name, labels, evidence}. Errors name the line. */
bool targets_from_list(struct targets *targets, const char *path, struct err *err);

/* Attaches --evidence paths to the only target, or makes them the target when there is none. */
bool targets_add_evidence(struct targets *targets, char *const *paths, size_t len, struct err *err);

/* What --kube and --aws name is asked too, about the only target; it is the target when there is
 * none. Either may be NULL. */
bool targets_add_live(struct targets *targets, const char *kube, const char *aws, struct err *err);

/* This machine is asked too, about the only target; it is the target when there is none. */
bool targets_add_host(struct targets *targets, struct err *err);

/* Replaces each target that stands for several (a deployment, a service of ECS, a machine with several
 * Envoys) by one for each of its pods, tasks or processes, by asking kubectl, aws or /proc. One that
 * has none, or of which that cannot be told, stays: collecting says why. LEFT_OUT is told of one that
 * stands for more than is taken. */
typedef void targets_left_out_fn(const char *target, size_t kept, size_t left_out);
void targets_expand(struct targets *targets, targets_left_out_fn *left_out);

/* Whether an Envoy answers at TARGET, an address. */
bool targets_is_envoy(const struct target *target);

/* Nothing was named: tries the usual admin addresses of this host (9901, 15000, 19000) and adds
 * the one that answers like an Envoy. False when none does. The only function here that asks a
 * socket. */
bool targets_discover(struct targets *targets, struct err *err);

/* Prints what targets_discover would ask, and asks nothing. */
void targets_discover_dry_run(void);

#endif
