/* Base: small files, whole. Reads a descriptor up to its end, writes a buffer with a maximum.
 * Deliberately looks at what a file is before it reads: /dev/zero has no end. */
#include "base/slurp.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static bool cannot_read(const char *name, const char *why, struct err *err)
{
    return err_set(err, "cannot read '%s': %s", name, why);
}

bool slurp_check(int fd, const char *name, struct err *err)
{
    struct stat facts;
    if (fstat(fd, &facts) != 0)
        return cannot_read(name, strerror(errno), err);
    bool null = S_ISCHR(facts.st_mode) && facts.st_rdev == makedev(1, 3);
    if (S_ISDIR(facts.st_mode))
        return cannot_read(name, strerror(EISDIR), err);
    if (S_ISBLK(facts.st_mode) || (S_ISCHR(facts.st_mode) && !null && !isatty(fd)))
        return cannot_read(name, "it is a device; name a file or a pipe", err);
    return true;
}

static bool too_long(const struct buf *out, const char *name, struct err *err)
{
    if (out->max >> 20)
        return err_set(err, "'%s' is larger than %zu MB", name, out->max >> 20);
    return err_set(err, "'%s' is larger than %zu kB", name, out->max >> 10);
}

bool slurp_fd(struct buf *out, int fd, const char *name, struct err *err)
{
    char bytes[16 << 10];
    ssize_t got;
    if (!slurp_check(fd, name, err))
        return false;
    while ((got = read(fd, bytes, sizeof bytes)) != 0 && !out->overflow) {
        if (got > 0)
            buf_add(out, bytes, (size_t)got);
        else if (errno != EINTR)
            return cannot_read(name, strerror(errno), err);
    }
    return !out->overflow || too_long(out, name, err);
}

bool slurp_path(struct buf *out, const char *path, struct err *err)
{
    if (strcmp(path, "-") == 0)
        return slurp_fd(out, STDIN_FILENO, "standard input", err);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return cannot_read(path, strerror(errno), err);
    bool whole = slurp_fd(out, fd, path, err);
    close(fd);
    return whole;
}
