/* Collecting from this machine: what /proc, /sys and the packet filter say of a running Envoy and
 * of the namespaces it lives in. Reads only; what may not be read is a problem of that source. */
#ifndef DEBRIEF_COLLECT_HOST_H
#define DEBRIEF_COLLECT_HOST_H

#include "collect/collection.h"

#include <sys/types.h>

enum { HOST_ENVOYS_MAX = 64, HOST_LINK_MAX = 256 };

struct host_place { /* one process, and through it the namespaces that it sees */
    pid_t pid;      /* 0: this one */
    char dir[32];   /* "/proc/345" */
    bool apart;     /* its network namespace is another one than ours, or nobody can tell */
};

/* The running Envoys, the oldest first; at most HOST_ENVOYS_MAX. */
size_t host_envoys(pid_t pids[HOST_ENVOYS_MAX]);

void host_place_init(struct host_place *place, pid_t pid);

/* The process whose surroundings are TARGET's; this one when no Envoy runs. False when there are
 * several and none of them is known to be it. */
bool host_place_of(struct host_place *place, const struct target *target, struct err *err);

/* Adds what is asked by --host about the collection's target. */
void host_collect(struct collection *collection);
void host_dry_run(void);

/* ---- host_process.c, host_net.c, host_sockets.c: parts of it ---- */

void host_collect_process(struct collection *collection, const struct host_place *place);
void host_collect_names(struct collection *collection, const struct host_place *place);
void host_collect_clock(struct collection *collection);
void host_collect_net(struct collection *collection, const struct host_place *place);
void host_collect_sockets(struct collection *collection, const struct host_place *place);

/* TEXT becomes the source NAME; ORIGIN says what was read. */
struct source *host_keep(struct collection *collection, const char *name, const char *origin,
                         const char *text, size_t len);
/* A small file as text, NUL-terminated, the caller's to free; NULL and errno when it cannot be
 * read. */
char *host_slurp(const char *path, size_t *len);
/* The same for a path that a container may have made a link of: "etc/resolv.conf" below ROOT, which
 * is never left. */
char *host_slurp_inside(const char *root, const char *path, size_t *len);

/* What a link of /proc leads to: "net:[4026531840]", "socket:[12345]"; "" when it may not be
 * read. */
void host_link(char out[HOST_LINK_MAX], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Whether PID holds a listening socket of PORT. */
bool host_listens(pid_t pid, int port);

/* Enters the network namespace of PLACE for good; in a process made for it. */
bool host_enter(const struct host_place *place);

#endif
