/* Collect: who listens on which port in a process's network namespace. Reads the tables of sockets
 * and the descriptors of processes in /proc; writes lines as `ss -ltnp` prints them. Whose
 * descriptors may not be read is counted, and told. */
#include "collect/host.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SOCKETS_MAX = 16384, HOLDERS_MAX = 16, TEXT_MAX = 4 << 20, LISTENING = 0x0A };

struct listening {
    unsigned long inode;
    char address[INET6_ADDRSTRLEN + 2];
    int port;
    unsigned waiting; /* connections that nobody has accepted yet */
    char *holders;    /* ("envoy",pid=12,fd=9),... NULL: nobody is known */
    unsigned holders_len;
};

struct listeners {
    struct listening *items;
    size_t len;
};

/* "0: 0100007F:1F90 00000000:0000 0A 00000000:00000001 00:00000000 00000000  1000  0 12345 ..." */
static bool parse(struct listening *socket, const char *line)
{
    char address[33];
    unsigned port, state, waiting;
    unsigned char bytes[16];
    *socket = (struct listening){0};
    if (sscanf(line, " %*d: %32[0-9A-F]:%x %*[0-9A-F]:%*x %x %*x:%x %*x:%*x %*x %*d %*d %lu",
               address, &port, &state, &waiting, &socket->inode) != 5 ||
        state != LISTENING)
        return false;
    bool v6 = strlen(address) == 32;
    for (size_t i = 0; i < strlen(address) / 8; i++) {
        unsigned word;
        sscanf(address + 8 * i, "%8x", &word);
        memcpy(bytes + 4 * i, &word, 4); /* as it stands in memory */
    }
    socket->port = (int)port;
    socket->waiting = waiting;
    *socket->address = '[';
    inet_ntop(v6 ? AF_INET6 : AF_INET, bytes, socket->address + v6, INET6_ADDRSTRLEN);
    if (v6)
        strcat(socket->address, "]");
    return true;
}

static bool read_table(struct listeners *all, const char *dir, const char *table)
{
    char path[64], line[512];
    struct listening socket;
    snprintf(path, sizeof path, "%s/net/%s", dir, table);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        if (all->len < SOCKETS_MAX && parse(&socket, line))
            all->items[all->len++] = socket;
    if (file)
        fclose(file);
    return file;
}

static int by_inode(const void *a, const void *b)
{
    unsigned long one = ((const struct listening *)a)->inode;
    unsigned long other = ((const struct listening *)b)->inode;
    return (one > other) - (one < other);
}

static int by_port(const void *a, const void *b)
{
    const struct listening *one = a, *other = b;
    int order = one->port - other->port;
    return order ? order : strcmp(one->address, other->address);
}

static bool listeners_init(struct listeners *all, const char *dir)
{
    *all = (struct listeners){.items = xcalloc(SOCKETS_MAX, sizeof *all->items)};
    bool read = read_table(all, dir, "tcp");
    int error = errno;
    read_table(all, dir, "tcp6"); /* is not there without IPv6 */
    errno = error;
    qsort(all->items, all->len, sizeof *all->items, by_inode);
    return read;
}

static void listeners_release(struct listeners *all)
{
    for (size_t i = 0; i < all->len; i++)
        free(all->items[i].holders);
    free(all->items);
}

/* ---- holders ---- */

static struct listening *socket_of(const struct listeners *all, const char *link)
{
    struct listening wanted = {0};
    if (sscanf(link, "socket:[%lu]", &wanted.inode) != 1)
        return NULL;
    return bsearch(&wanted, all->items, all->len, sizeof wanted, by_inode);
}

static void name_of(const char *pid, char out[64])
{
    char path[64];
    size_t len;
    snprintf(path, sizeof path, "/proc/%.10s/comm", pid);
    char *text = host_slurp(path, &len);
    snprintf(out, 64, "%.*s", text ? (int)strcspn(text, "\n\"") : 0, text ? text : "");
    free(text);
}

static void add_holder(void *user, struct listening *socket, const char *pid, const char *fd)
{
    char name[64];
    (void)user;
    if (socket->holders_len++ >= HOLDERS_MAX)
        return;
    name_of(pid, name);
    char *before = socket->holders;
    socket->holders = xasprintf("%s%s(\"%s\",pid=%s,fd=%s)", before ? before : "",
                                before ? "," : "", name, pid, fd);
    free(before);
}

typedef void found_fn(void *user, struct listening *socket, const char *pid, const char *fd);

/* The listening sockets among the descriptors of PID; false when those may not be read. */
static bool walk_process(const struct listeners *all, const char *pid, found_fn *found, void *user)
{
    char path[64], link[HOST_LINK_MAX];
    const struct dirent *entry;
    snprintf(path, sizeof path, "/proc/%.10s/fd", pid);
    DIR *dir = opendir(path);
    if (!dir)
        return errno == ENOENT; /* it has ended */
    while ((entry = readdir(dir))) {
        if (*entry->d_name == '.')
            continue;
        host_link(link, "%s/%.10s", path, entry->d_name);
        struct listening *socket = socket_of(all, link);
        if (socket)
            found(user, socket, pid, entry->d_name);
    }
    closedir(dir);
    return true;
}

static void find_holders(const struct collection *collection, const struct listeners *all,
                         const struct host_place *place, unsigned *closed)
{
    char ours[HOST_LINK_MAX], theirs[HOST_LINK_MAX];
    const struct dirent *entry;
    DIR *proc = opendir("/proc");
    host_link(ours, "%s/ns/net", place->dir);
    while (proc && !collection_is_late(collection) && (entry = readdir(proc))) {
        int64_t pid;
        if (!str_to_int64(entry->d_name, &pid))
            continue;
        host_link(theirs, "/proc/%.10s/ns/net", entry->d_name);
        if (*ours && *theirs && strcmp(ours, theirs) != 0)
            continue;
        *closed += !walk_process(all, entry->d_name, add_holder, NULL);
    }
    if (proc)
        closedir(proc);
}

struct search {
    int port;
    bool found;
};

static void compare(void *user, struct listening *socket, const char *pid, const char *fd)
{
    struct search *search = user;
    (void)pid;
    (void)fd;
    search->found |= socket->port == search->port;
}

bool host_listens(pid_t pid, int port)
{
    char dir[32], number[16];
    struct listeners all;
    struct search search = {.port = port};
    snprintf(dir, sizeof dir, "/proc/%ld", (long)pid);
    snprintf(number, sizeof number, "%ld", (long)pid);
    if (listeners_init(&all, dir))
        walk_process(&all, number, compare, &search);
    listeners_release(&all);
    return search.found;
}

/* ---- the table ---- */

static char *table_text(const struct listeners *all, size_t *unheld)
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    buf_adds(&text, "State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n");
    *unheld = 0;
    for (size_t i = 0; i < all->len; i++) {
        const struct listening *socket = &all->items[i];
        buf_addf(&text, "LISTEN %u - %s:%d %s:*", socket->waiting, socket->address, socket->port,
                 *socket->address == '[' ? "[::]" : "0.0.0.0");
        if (socket->holders)
            buf_addf(&text, " users:(%s)", socket->holders);
        buf_addch(&text, '\n');
        *unheld += !socket->holders;
    }
    return buf_take(&text);
}

void host_collect_sockets(struct collection *collection, const struct host_place *place)
{
    struct listeners all;
    char origin[96];
    unsigned closed = 0;
    size_t unheld;
    snprintf(origin, sizeof origin, "%s/net/tcp, %s/net/tcp6, /proc/*/fd", place->dir, place->dir);
    if (!listeners_init(&all, place->dir)) {
        collection_missing(collection, "host/sockets.txt", origin, "cannot read it: %s",
                           strerror(errno));
        listeners_release(&all);
        return;
    }
    find_holders(collection, &all, place, &closed);
    qsort(all.items, all.len, sizeof *all.items, by_port);
    char *text = table_text(&all, &unheld);
    struct source *source = host_keep(collection, "host/sockets.txt", origin, text, strlen(text));
    if (unheld && closed)
        source_problem(&collection->bundle.sources, source,
                       "who holds %zu of %zu sockets is not known: the descriptors of %u processes "
                       "may not be read; run as root",
                       unheld, all.len, closed);
    free(text);
    listeners_release(&all);
}
