/* Policy: finds and reads the configuration file. Reads the environment and the file, writes struct
 * config. Deliberately takes one file alone: what holds can be seen in one place. */
#include "policy/config.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/slurp.h"
#include "base/str.h"
#include "base/yaml_tree.h"
#include "policy/config_keys.h"
#include "source/hash.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYSTEM_FILE "/etc/debrief/" CONFIG_NAME

struct place { /* where a file may lie */
    const char *path;
    bool must_exist, here;
};

/* What lies about in the current directory is taken only when it is a file of the user's (or root's)
 * own: /tmp is everybody's. */
static bool may_take(int fd, const struct place *place, struct err *err)
{
    struct stat facts;
    if (!place->here)
        return true;
    if (fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode))
        return err_set(err, "the configuration '%s' is no regular file; --no-config leaves it out",
                       place->path);
    if (facts.st_uid != geteuid() && facts.st_uid != 0)
        return err_set(err,
                       "the configuration '%s' belongs to another user; take it with --config %s, "
                       "or leave it out with --no-config",
                       place->path, place->path);
    return true;
}

/* Whether this user may know of the file: with sudo -u, $HOME is often still somebody else's. */
static bool is_seen(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0;
}

/* -1: there is none, *MISSING is set, or it cannot be used. */
static int open_place(const struct place *place, bool *missing, struct err *err)
{
    int here = place->here ? O_NONBLOCK | O_NOFOLLOW : 0;
    int fd = open(place->path, O_RDONLY | O_CLOEXEC | here), why = errno;
    *missing = fd < 0 && !place->must_exist &&
               (why == ENOENT || why == ENOTDIR || (why == EACCES && !is_seen(place->path)));
    if (fd < 0 && why == ELOOP)
        err_set(err,
                "the configuration '%s' is a symbolic link; name it with --config, or leave it out "
                "with --no-config",
                place->path);
    else if (fd < 0 && !*missing)
        err_set(err, "cannot read the configuration '%s': %s", place->path, strerror(why));
    if (fd >= 0 && !may_take(fd, place, err)) {
        close(fd);
        return -1;
    }
    return fd;
}

static void hash_text(const struct buf *text, char out[65])
{
    struct hash *hash = hash_new();
    hash_add(hash, buf_str(text), text->len);
    hash_end(hash, out);
}

static bool parse(struct config *config, const struct buf *text, struct err *err)
{
    char today[CLOCK_TEXT_MAX];
    clock_text(clock_now(), today);
    today[strcspn(today, "T")] = '\0';
    hash_text(text, config->sha256);
    const struct yaml_tree *root = yaml_tree_parse(config->arena, config->path, buf_str(text),
                                                   text->len, err);
    return root && config_keys_read(config, root, today, err);
}

/* A path is bytes; a report is text. */
static const char *clean(struct arena *arena, const char *path)
{
    size_t len = strlen(path);
    char *text = arena_alloc(arena, 3 * len + 1);
    str_to_utf8(text, 3 * len + 1, path, len);
    return text;
}

static struct config *read_config(int fd, const struct place *place, struct err *err)
{
    struct arena *arena = arena_new();
    struct config *config = arena_alloc(arena, sizeof *config);
    struct buf text;
    *config = (struct config){
        .arena = arena, .path = clean(arena, place->path), .found_here = place->here};
    buf_init(&text, YAML_TREE_SIZE_MAX);
    bool ok = slurp_fd(&text, fd, config->path, err) && parse(config, &text, err);
    buf_release(&text);
    if (!ok) {
        config_free(config);
        return NULL;
    }
    return config;
}

/* ".../debrief/debrief.yaml" of the user; NULL where no home is known. The caller's to free. */
static char *user_file(void)
{
    const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    if (base && *base == '/')
        return xasprintf("%s/debrief/" CONFIG_NAME, base);
    return home && *home == '/' ? xasprintf("%s/.config/debrief/" CONFIG_NAME, home) : NULL;
}

static bool take_first(struct config **config, const struct place *places, size_t len,
                       struct err *err)
{
    for (size_t i = 0; i < len; i++) {
        bool missing;
        if (!places[i].path)
            continue;
        int fd = open_place(&places[i], &missing, err);
        if (fd < 0 && missing)
            continue;
        *config = fd < 0 ? NULL : read_config(fd, &places[i], err);
        if (fd >= 0)
            close(fd);
        return *config != NULL;
    }
    return true;
}

bool config_load(struct config **config, const char *named, struct err *err)
{
    const char *given = named ? named : getenv("DEBRIEF_CONFIG");
    *config = NULL;
    if (named && !*named)
        return err_set(err, "--config takes a file, or none; not ''");
    if (given && strcmp(given, "none") == 0)
        return true;
    if (given && *given)
        return take_first(config, &(struct place){given, true, false}, 1, err);
    char *user = user_file();
    const struct place places[] = {
        {CONFIG_NAME, false, true}, {user, false, false}, {SYSTEM_FILE, false, false}};
    bool ok = take_first(config, places, 3, err);
    free(user);
    return ok;
}

void config_free(struct config *config)
{
    if (config)
        arena_free(config->arena);
}
