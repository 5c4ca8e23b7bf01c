/* Stage: read. Keeps compiled pattern databases between runs in $XDG_CACHE_HOME/debrief, else
 * ~/.cache/debrief. Reads and writes files of this user only, in a directory of this user only.
 * Deliberately silent: whatever is wrong with the cache, the patterns are compiled anew. */
#include "read/scan_cache.h"
#include "base/alloc.h"
#include "base/str.h"
#include <dirent.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC  "debrief.scan/1\n" /* of this layout */
#define PREFIX "scan-"

enum { HEAD = sizeof MAGIC - 1 + SCAN_CACHE_KEY - 1, LISTED_MAX = 4096 };

void scan_cache_digest(const struct scan_cache_part *parts, size_t len, char out[SCAN_CACHE_KEY])
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool fine = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;
    for (size_t i = 0; i < len && fine; i++)
        fine = EVP_DigestUpdate(context, parts[i].bytes, parts[i].len) == 1 &&
               EVP_DigestUpdate(context, &parts[i].len, sizeof parts[i].len) == 1;
    fine = fine && EVP_DigestFinal_ex(context, sum, &size) == 1;
    EVP_MD_CTX_free(context);
    if (!fine)
        BUG("sha256 failed");
    for (unsigned int i = 0; i < size; i++)
        snprintf(out + 2 * i, 3, "%02x", sum[i]);
}

/* ---- the directory ---- */

static bool is_ours(int fd, mode_t type)
{
    struct stat st;
    return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == type && st.st_uid == geteuid() &&
           (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* "/home/user/.cache", the caller's to free; NULL: there is no home. */
static char *base_path(void)
{
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (xdg && *xdg == '/')
        return xstrdup(xdg);
    return home && *home == '/' ? xasprintf("%s/.cache", home) : NULL;
}

static int open_base(bool create)
{
    struct stat st;
    char *path = base_path();
    if (!path)
        return -1;
    if (create)
        mkdir(path, 0700);
    int base = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(path);
    /* Under sudo the home may be another user's: leave nothing there that is not theirs. */
    if (base >= 0 && create && (fstat(base, &st) != 0 || st.st_uid != geteuid())) {
        close(base);
        return -1;
    }
    return base;
}

static int open_cache(bool create)
{
    int base = open_base(create);
    if (base < 0)
        return -1;
    if (create)
        mkdirat(base, "debrief", 0700);
    int dir = openat(base, "debrief", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    close(base);
    if (dir >= 0 && !is_ours(dir, S_IFDIR)) {
        close(dir);
        return -1;
    }
    return dir;
}

/* ---- files ---- */

static bool read_all_of(int fd, char *bytes, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t got = read(fd, bytes + done, len - done);
        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

static bool write_all_of(int fd, const char *bytes, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t put = write(fd, bytes + done, len - done);
        if (put <= 0)
            return false;
        done += (size_t)put;
    }
    return true;
}

/* A file is the magic, the sum of what follows, and what follows. */
static bool check(const char *bytes, size_t len)
{
    char sum[SCAN_CACHE_KEY];
    if (len < HEAD || memcmp(bytes, MAGIC, sizeof MAGIC - 1) != 0)
        return false;
    scan_cache_digest(&(struct scan_cache_part){bytes + HEAD, len - HEAD}, 1, sum);
    return memcmp(bytes + sizeof MAGIC - 1, sum, sizeof sum - 1) == 0;
}

static bool load_file(int fd, struct buf *out)
{
    struct stat st;
    if (!is_ours(fd, S_IFREG) || fstat(fd, &st) != 0 || st.st_size > SCAN_CACHE_FILE_MAX)
        return false;
    size_t len = (size_t)st.st_size;
    char *bytes = xmalloc(len + 1);
    bool fine = read_all_of(fd, bytes, len) && check(bytes, len);
    if (fine) {
        buf_add(out, bytes + HEAD, len - HEAD);
        futimens(fd, NULL); /* the youngest are kept */
    }
    free(bytes);
    return fine && !out->overflow;
}

bool scan_cache_load(const char *key, struct buf *out)
{
    char name[sizeof PREFIX + SCAN_CACHE_KEY];
    int dir = open_cache(false);
    if (dir < 0)
        return false;
    snprintf(name, sizeof name, PREFIX "%s", key);
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    bool loaded = fd >= 0 && load_file(fd, out);
    if (fd >= 0)
        close(fd);
    close(dir);
    return loaded;
}

/* ---- tidying ---- */

struct listed {
    char name[sizeof PREFIX + SCAN_CACHE_KEY + 16];
    struct timespec time;
};

static int by_age(const void *left, const void *right)
{
    const struct listed *a = left, *b = right;
    if (a->time.tv_sec != b->time.tv_sec)
        return a->time.tv_sec > b->time.tv_sec ? -1 : 1;
    if (a->time.tv_nsec != b->time.tv_nsec)
        return a->time.tv_nsec > b->time.tv_nsec ? -1 : 1;
    return strcmp(a->name, b->name);
}

static size_t list_files(int dir, struct listed *files)
{
    size_t len = 0;
    DIR *stream = fdopendir(dup(dir));
    if (!stream)
        return 0;
    rewinddir(stream);
    for (struct dirent *entry; len < LISTED_MAX && (entry = readdir(stream)) != NULL;) {
        struct stat st;
        if (!str_starts(entry->d_name, PREFIX) || strlen(entry->d_name) >= sizeof files->name)
            continue;
        if (fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        strcpy(files[len].name, entry->d_name);
        files[len++].time = st.st_mtim;
    }
    closedir(stream);
    return len;
}

static void tidy(int dir)
{
    struct listed *files = xcalloc(LISTED_MAX, sizeof *files);
    size_t len = list_files(dir, files);
    qsort(files, len, sizeof *files, by_age);
    for (size_t i = SCAN_CACHE_FILES; i < len; i++)
        unlinkat(dir, files[i].name, 0);
    free(files);
}

void scan_cache_store(const char *key, const void *bytes, size_t len)
{
    char name[sizeof PREFIX + SCAN_CACHE_KEY], fresh[sizeof name + 16], sum[SCAN_CACHE_KEY];
    int dir = len + HEAD <= SCAN_CACHE_FILE_MAX ? open_cache(true) : -1;
    if (dir < 0)
        return;
    snprintf(name, sizeof name, PREFIX "%s", key);
    snprintf(fresh, sizeof fresh, PREFIX "%s.%ld", key, (long)getpid());
    scan_cache_digest(&(struct scan_cache_part){bytes, len}, 1, sum);
    int fd = openat(dir, fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0) {
        bool fine = write_all_of(fd, MAGIC, sizeof MAGIC - 1) &&
                    write_all_of(fd, sum, sizeof sum - 1) && write_all_of(fd, bytes, len);
        close(fd);
        if (!fine || renameat(dir, fresh, dir, name) != 0)
            unlinkat(dir, fresh, 0);
        tidy(dir);
    }
    close(dir);
}
