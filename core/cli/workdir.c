/* The temporary directory of a command: made in TMPDIR, readable for its user only, removed at the end. */
#include "cli/workdir.h"
#include "base/alloc.h"
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *workdir_new(struct err *err)
{
    const char *base = getenv("TMPDIR");
    char *dir = xasprintf("%s/debrief-XXXXXX", base && *base ? base : "/tmp");
    if (mkdtemp(dir))
        return dir;
    err_set(err, "cannot make a temporary directory '%s': %s", dir, strerror(errno));
    free(dir);
    return NULL;
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *where)
{
    (void)facts;
    (void)kind;
    (void)where;
    remove(path);
    return 0;
}

void workdir_free(char *dir)
{
    if (!dir)
        return;
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(dir);
}
