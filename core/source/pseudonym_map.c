/* Source: the map of pseudonyms. Reads and writes one file: a line with the key, then a pair a line,
 * only ever added to, under a lock. Deliberately trusts no file that others could have read or put
 * there: who has it undoes all pseudonyms made with its key. */
#include "source/pseudonym_map.h"

#include "base/alloc.h"
#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER "debrief.identities/1 "

enum { MAP_MAX = 64 << 20, HEADER_LEN = sizeof HEADER - 1 + 2 * PSEUDONYM_KEY + 1 };

struct pseudonym_map {
    char *path;
    char header[HEADER_LEN + 1];
};

static bool failed(const struct pseudonym_map *map, struct err *err)
{
    int why = errno;
    if (why == ELOOP)
        return err_set(err, "the map '%s' is a symbolic link; name the file itself", map->path);
    return err_set(err, "cannot use the map '%s': %s", map->path, strerror(why));
}

static bool is_private(const struct pseudonym_map *map, int fd, struct err *err)
{
    struct stat facts;
    if (fstat(fd, &facts) < 0)
        return failed(map, err);
    if (!S_ISREG(facts.st_mode))
        return err_set(err, "the map '%s' is no regular file", map->path);
    if (facts.st_uid != geteuid())
        return err_set(err, "the map '%s' belongs to somebody else", map->path);
    if (facts.st_mode & 077)
        return err_set(err, "others may read or write the map '%s'; chmod 600 it", map->path);
    return true;
}

/* Open, looked at and locked; -1 with an error. */
static int open_locked(const struct pseudonym_map *map, struct err *err)
{
    int fd = open(map->path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
                  0600);
    if (fd < 0) {
        failed(map, err);
        return -1;
    }
    if (is_private(map, fd, err)) {
        if (flock(fd, LOCK_EX) == 0)
            return fd;
        failed(map, err);
    }
    close(fd);
    return -1;
}

static bool slurp(const struct pseudonym_map *map, int fd, struct buf *out, struct err *err)
{
    char bytes[1 << 14];
    ssize_t got;
    off_t at = 0;
    buf_init(out, MAP_MAX);
    while ((got = pread(fd, bytes, sizeof bytes, at)) > 0 && !out->overflow) {
        buf_add(out, bytes, (size_t)got);
        at += got;
    }
    if (got < 0)
        return failed(map, err);
    return !out->overflow || err_set(err, "the map '%s' is larger than 64 MB", map->path);
}

static bool put(const struct pseudonym_map *map, int fd, const char *text, size_t len,
                struct err *err)
{
    while (len) {
        ssize_t n = write(fd, text, len);
        if (n < 0 && errno != EINTR)
            return failed(map, err);
        if (n > 0) {
            text += n;
            len -= (size_t)n;
        }
    }
    return true;
}

static bool read_key(const struct pseudonym_map *map, const struct buf *text, unsigned char *key,
                     struct err *err)
{
    const char *hex = buf_str(text) + strlen(HEADER);
    if (text->len < HEADER_LEN || strncmp(buf_str(text), HEADER, strlen(HEADER)) != 0 ||
        strspn(hex, "0123456789abcdef") != 2 * PSEUDONYM_KEY || hex[2 * PSEUDONYM_KEY] != '\n')
        return err_set(err, "'%s' is no map of pseudonyms; name a file that is not there yet",
                       map->path);
    for (int i = 0; i < PSEUDONYM_KEY; i++) {
        char pair[3] = {hex[2 * i], hex[2 * i + 1], 0};
        key[i] = (unsigned char)strtoul(pair, NULL, 16);
    }
    return true;
}

static void write_header(struct pseudonym_map *map, const unsigned char *key)
{
    int len = snprintf(map->header, sizeof map->header, HEADER);
    for (int i = 0; i < PSEUDONYM_KEY; i++)
        len += snprintf(map->header + len, sizeof map->header - (size_t)len, "%02x", key[i]);
    map->header[len] = '\n';
    map->header[len + 1] = '\0';
}

struct pseudonym_map *pseudonym_map_open(const char *path, unsigned char key[PSEUDONYM_KEY],
                                         struct err *err)
{
    struct pseudonym_map *map = xcalloc(1, sizeof *map);
    struct buf text;
    map->path = xstrdup(path);
    int fd = open_locked(map, err);
    bool usable = false;
    if (fd >= 0) {
        usable = slurp(map, fd, &text, err) && (text.len == 0 || read_key(map, &text, key, err));
        write_header(map, key);
        if (usable && text.len == 0)
            usable = put(map, fd, map->header, HEADER_LEN, err);
        buf_release(&text);
        close(fd);
    }
    if (usable)
        return map;
    pseudonym_map_free(map);
    return NULL;
}

void pseudonym_map_free(struct pseudonym_map *map)
{
    if (!map)
        return;
    explicit_bzero(map->header, sizeof map->header);
    free(map->path);
    free(map);
}

struct lines { /* of the file, sorted; they point into its text, which is cut up */
    char **items;
    size_t len;
};

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static struct lines lines_of(struct buf *text)
{
    struct lines lines = {0};
    size_t cap = 0;
    for (char *at = text->data, *end; at && (end = strchr(at, '\n')); at = end + 1) {
        *end = '\0';
        if (lines.len == cap) {
            cap = cap ? cap * 2 : 256;
            lines.items = xrealloc(lines.items, cap * sizeof *lines.items);
        }
        lines.items[lines.len++] = at;
    }
    if (lines.len)
        qsort(lines.items, lines.len, sizeof *lines.items, compare_lines);
    return lines;
}

static void add_row(struct buf *out, const struct lines *there, struct pseudonym *row)
{
    char *line = xasprintf("%s\t%s", row->text, row->original);
    if (!there->len || !bsearch(&line, there->items, there->len, sizeof line, compare_lines))
        buf_addf(out, "%s\n", line);
    row->saved = true;
    free(line);
}

bool pseudonym_map_save(struct pseudonym_map *map, struct pseudonym **rows, size_t len,
                        struct err *err)
{
    struct buf there, more;
    int fd = open_locked(map, err);
    if (fd < 0)
        return false;
    buf_init(&more, MAP_MAX);
    bool saved = slurp(map, fd, &there, err);
    if (saved && strncmp(buf_str(&there), map->header, HEADER_LEN) != 0)
        saved = err_set(err, "the map '%s' has another key by now", map->path);
    struct lines lines = lines_of(&there);
    for (size_t i = 0; saved && i < len; i++)
        if (rows[i] && rows[i]->text && !rows[i]->saved)
            add_row(&more, &lines, rows[i]);
    free(lines.items);
    saved = saved && put(map, fd, buf_str(&more), more.len, err);
    buf_release(&more);
    buf_release(&there);
    close(fd);
    return saved;
}
