/* For tests that need files: a directory of their own, gone afterwards. */
#ifndef DEBRIEF_TEST_SCRATCH_H
#define DEBRIEF_TEST_SCRATCH_H

#include "base/alloc.h"
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch_dir[64];

static inline int scratch_remove(const char *path, const struct stat *status, int type,
                                 struct FTW *walk)
{
    (void)status, (void)type, (void)walk;
    return remove(path);
}

static inline int scratch_begin(void **state)
{
    (void)state;
    strcpy(scratch_dir, "/tmp/debrief-test-XXXXXX");
    return mkdtemp(scratch_dir) ? 0 : -1;
}

static inline int scratch_end(void **state)
{
    (void)state;
    return nftw(scratch_dir, scratch_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* The path of NAME, its folders made; the caller's to free. */
static inline char *scratch_path(const char *name)
{
    char *path = xasprintf("%s/%s", scratch_dir, name);
    for (char *at = path + strlen(scratch_dir) + 1; (at = strchr(at, '/')); at++) {
        *at = '\0';
        mkdir(path, 0700);
        *at = '/';
    }
    return path;
}

static inline char *scratch_write(const char *name, const void *bytes, size_t len)
{
    char *path = scratch_path(name);
    FILE *file = fopen(path, "w");
    if (!file || fwrite(bytes, 1, len, file) != len || fclose(file) != 0)
        BUG("cannot write '%s'", path);
    return path;
}

static inline void scratch_put(const char *name, const char *text)
{
    free(scratch_write(name, text, strlen(text)));
}

/* The whole file with a NUL behind it; the caller's to free. */
static inline char *scratch_read(const char *path, size_t *len)
{
    FILE *file = fopen(path, "r");
    char *text = xcalloc(1, 1 << 22);
    if (!file)
        BUG("cannot read '%s'", path);
    *len = fread(text, 1, (1 << 22) - 1, file);
    fclose(file);
    return text;
}

#endif
