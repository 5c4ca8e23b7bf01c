/* Collect: what a target's argument names. Reads arguments and the file system (what kind of
 * thing is this path?), writes targets. Deliberately never asks the network: whether an address
 * lives is told by collecting. Lists of targets stand in targets.c. */
#include "collect/target.h"

#include "base/alloc.h"
#include "base/str.h"
#include "collect/archive.h"
#include "collect/ecs.h"
#include "collect/kube.h"
#include "collect/target_parse.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool target_has_admin(const struct target *target)
{
    return target->kind == TARGET_ADMIN || target->kind == TARGET_UNIX ||
           target->kind == TARGET_KUBE;
}

void targets_init(struct targets *targets)
{
    *targets = (struct targets){0};
}

static void release(struct target *target)
{
    free(target->name);
    free(target->address);
    target_leave_fleet(target);
    for (size_t i = 0; i < target->evidence_len; i++)
        free(target->evidence[i]);
    free(target->evidence);
    free(target->via);
    free(target->kube);
    free(target->aws);
}

void targets_release(struct targets *targets)
{
    for (size_t i = 0; i < targets->len; i++)
        release(&targets->items[i]);
    free(targets->items);
    targets_init(targets);
}

struct target *target_add(struct targets *targets, enum target_kind kind, const char *name,
                          const char *address)
{
    if (targets->len == targets->cap) {
        targets->cap = targets->cap ? targets->cap * 2 : 8;
        targets->items = xrealloc(targets->items, targets->cap * sizeof *targets->items);
    }
    struct target *target = &targets->items[targets->len++];
    *target = (struct target){.kind = kind, .name = xstrdup(name), .address = xstrdup(address)};
    return target;
}

void target_remove(struct targets *targets, size_t index)
{
    release(&targets->items[index]);
    targets->len--;
    memmove(&targets->items[index], &targets->items[index + 1],
            (targets->len - index) * sizeof *targets->items);
}

/* What a shell gives for <(command) is a descriptor of this process; the collector, another one,
 * finds it by this process's number. */
static char *lasting_path(const char *path)
{
    static const char *const here[] = {"/dev/fd/", "/proc/self/fd/"};
    for (size_t i = 0; i < ARRAY_LEN(here); i++)
        if (str_starts(path, here[i]))
            return xasprintf("/proc/%ld/fd/%s", (long)getpid(), path + strlen(here[i]));
    return xstrdup(path);
}

void target_add_evidence(struct target *target, const char *path)
{
    target->evidence = xrealloc(target->evidence,
                                (target->evidence_len + 1) * sizeof *target->evidence);
    target->evidence[target->evidence_len++] = lasting_path(path);
}

/* ---- addresses ---- */

static bool is_port(const char *text)
{
    int64_t port;
    return str_to_int64(text, &port) && port > 0 && port < 65536 && strlen(text) <= 5;
}

/* HOST:PORT, [::1]:PORT */
static bool is_host_port(const char *text)
{
    const char *colon = strrchr(text, ':');
    if (!colon || colon == text || !is_port(colon + 1))
        return false;
    size_t len = (size_t)(colon - text);
    if (text[0] == '[')
        return len > 2 && text[len - 1] == ']' &&
               strspn(text + 1, "0123456789abcdefABCDEF:.%") == len - 2;
    return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == len;
}

/* An IP address or localhost: what cannot well be meant as a file. */
static bool is_bare_host(const char *text)
{
    struct in_addr address;
    struct in6_addr address6;
    return strcmp(text, "localhost") == 0 || inet_pton(AF_INET, text, &address) == 1 ||
           (text[0] == '[' && text[strlen(text) - 1] == ']') ||
           inet_pton(AF_INET6, text, &address6) == 1;
}

/* A URL may come without a port; it may not come with anything behind the authority. */
static bool parse_url(struct targets *targets, const char *url, struct err *err)
{
    const char *authority = strstr(url, "://") + 3;
    size_t len = strcspn(authority, "/?#");
    char *host = xstrndup(authority, len), *with_port = xasprintf("%s:1", host);
    bool fine = is_host_port(host) || is_host_port(with_port);
    bool rest = authority[len + strspn(authority + len, "/")] != '\0';
    if (strchr(host, '@'))
        fine = err_set(err, "'%s' stands behind a user name; Envoy's admin address knows none",
                       strrchr(host, '@') + 1);
    else if (!fine)
        err_set(err, "'%s' is no address; an admin address looks like http://127.0.0.1:9901", url);
    else if (rest)
        fine = err_set(err, "'%s' names a page; give the address alone: %.*s%s", url,
                       (int)(authority - url), url, host);
    free(with_port);
    free(host);
    if (!fine)
        return false;
    char *address = xstrndup(url, (size_t)(authority - url) + len);
    target_add(targets, TARGET_ADMIN, url, address);
    free(address);
    return true;
}

static bool parse_socket(struct targets *targets, const char *argument, struct err *err)
{
    const char *path = argument + strlen("unix:");
    if (str_starts(path, "//"))
        path += 2;
    /* struct sockaddr_un ends there */
    if (*path == '\0' || strlen(path) > 107)
        return err_set(err, "'%s' names no socket; a Unix socket looks like unix:/tmp/envoy.sock",
                       argument);
    target_add(targets, TARGET_UNIX, argument, path);
    return true;
}

/* Names are checked here, whether they exist is told by collecting. */
static bool parse_live(struct targets *targets, const char *argument, struct err *err)
{
    bool kube = str_starts(argument, "k8s:");
    const char *rest = argument + 4;
    struct kube_name pod;
    struct ecs_name task;
    if (!(kube ? kube_name_parse(&pod, rest, err) : ecs_name_parse(&task, rest, err)))
        return false;
    if (kube)
        kube_name_release(&pod);
    else
        ecs_name_release(&task);
    target_add(targets, kube ? TARGET_KUBE : TARGET_ECS, argument, rest);
    return true;
}

static bool is_url(const char *text)
{
    return str_starts(text, "http://") || str_starts(text, "https://");
}

/* ---- directories of bundles ---- */

static int only_real_names(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool is_bundle(const char *path)
{
    struct stat status;
    char *index = xasprintf("%s/bundle.json", path);
    bool bundle = stat(path, &status) == 0 &&
                  (S_ISDIR(status.st_mode) ? stat(index, &status) == 0 : archive_recognise(path));
    free(index);
    return bundle;
}

/* One proxy's is called after the folder; those of many by their own place. */
static void add_bundle(struct targets *targets, const char *path, bool directory, const char *name)
{
    size_t before = targets->len;
    target_add_tree(targets, directory ? TARGET_DIRECTORY : TARGET_ARCHIVE, path);
    if (targets->len != before + 1)
        return;
    free(targets->items[before].name);
    targets->items[before].name = xstrdup(name);
}

/* What `debrief collect` makes of several targets: nothing but bundles, each a target
 * NAME#MEMBER. */
static bool parse_fleet(struct targets *targets, const char *dir)
{
    struct dirent **names;
    size_t before = targets->len;
    int count = scandir(dir, &names, only_real_names, by_name);
    bool fleet = count > 0;
    for (int i = 0; i < count; i++) {
        char *path = xasprintf("%s/%s", dir, names[i]->d_name);
        char *name = xasprintf("%s#%s", dir, names[i]->d_name);
        struct stat status;
        fleet = fleet && is_bundle(path);
        if (fleet && stat(path, &status) == 0)
            add_bundle(targets, path, S_ISDIR(status.st_mode), name);
        free(path);
        free(name);
        free(names[i]);
    }
    if (count >= 0)
        free(names);
    while (!fleet && targets->len > before)
        release(&targets->items[--targets->len]);
    return fleet;
}

/* ---- arguments ---- */

/* *file: the argument is a plain file, to be put together with the others. */
static bool parse_path(struct targets *targets, const char *path, bool *file)
{
    struct stat status;
    if (stat(path, &status) < 0)
        return false;
    if (S_ISDIR(status.st_mode)) {
        if (!parse_fleet(targets, path))
            target_add_tree(targets, TARGET_DIRECTORY, path);
    } else if (S_ISSOCK(status.st_mode)) {
        target_add(targets, TARGET_UNIX, path, path);
    } else if (S_ISREG(status.st_mode) && archive_recognise(path)) {
        target_add_tree(targets, TARGET_ARCHIVE, path);
    } else {
        *file = true;
    }
    return true;
}

/* NAME#MEMBER, as a report shows it: of the many that NAME holds only this one. */
static bool parse_member(struct targets *targets, const char *argument)
{
    bool file = false, found = false;
    const char *hash = strchr(argument, '#');
    if (!hash)
        return false;
    struct targets all;
    targets_init(&all);
    char *path = xstrndup(argument, (size_t)(hash - argument));
    parse_path(&all, path, &file);
    free(path);
    for (size_t i = 0; i < all.len && !found; i++) {
        found = strcmp(all.items[i].name, argument) == 0;
        if (!found)
            continue;
        struct target *one = target_add(targets, all.items[i].kind, "", "");
        struct target empty = *one;
        *one = all.items[i];
        all.items[i] = empty;
    }
    targets_release(&all);
    return found;
}

bool target_parse(struct targets *targets, const char *argument, bool *file, struct err *err)
{
    *file = strcmp(argument, "-") == 0;
    if (*file || parse_path(targets, argument, file))
        return true;
    int error = errno;
    if (parse_member(targets, argument))
        return true;
    if (is_url(argument))
        return parse_url(targets, argument, err);
    if (str_starts(argument, "unix:"))
        return parse_socket(targets, argument, err);
    if (str_starts(argument, "k8s:") || str_starts(argument, "ecs:"))
        return parse_live(targets, argument, err);
    if (is_host_port(argument)) {
        char *address = xasprintf("http://%s", argument);
        target_add(targets, TARGET_ADMIN, argument, address);
        free(address);
        return true;
    }
    if (error != ENOENT && error != ENOTDIR)
        return err_set(err, "cannot look at '%s': %s", argument, strerror(error));
    if (is_bare_host(argument))
        return err_set(err,
                       "no such file '%s'; when it is the host of an admin address, add the port: "
                       "%s:9901 (Istio: 15000, Consul and Envoy Gateway: 19000)",
                       argument, argument);
    return err_set(err,
                   "no such file or address '%s'; an admin address looks like "
                   "http://127.0.0.1:9901",
                   argument);
}

static const char *file_name(const char *path)
{
    return strcmp(path, "-") == 0 ? "stdin" : path;
}

void target_add_file(struct targets *targets, size_t *files, const char *path)
{
    if (*files == SIZE_MAX) {
        *files = targets->len;
        target_add(targets, TARGET_FILES, file_name(path), path);
    }
    target_add_evidence(&targets->items[*files], path);
}

void target_name_files(struct targets *targets, size_t files)
{
    if (files == SIZE_MAX || targets->items[files].evidence_len < 2)
        return;
    struct target *target = &targets->items[files];
    free(target->name);
    target->name = xasprintf("%s (+%zu)", file_name(target->address), target->evidence_len - 1);
}

bool targets_from_arguments(struct targets *targets, char *const *arguments, size_t len,
                            struct err *err)
{
    size_t files = SIZE_MAX;
    for (size_t i = 0; i < len; i++) {
        bool file;
        if (!target_parse(targets, arguments[i], &file, err))
            return false;
        if (file)
            target_add_file(targets, &files, arguments[i]);
    }
    target_name_files(targets, files);
    return true;
}
