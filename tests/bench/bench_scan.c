/* bench_scan FILE...: a bare libhs scan of the built-in patterns, the yardstick for the log engine. The
 * same database over the same line-aligned windows of 1 MB, matches counted and nothing else. Prints
 * one line per file: bytes, matches, seconds, GB/s. Reads files as they are (no decompression). */
#include "base/alloc.h"
#include "base/clock.h"
#include "read/scan_run.h"
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int on_match(unsigned int id, unsigned long long from, unsigned long long to,
                    unsigned int flags, void *user)
{
    (void)id;
    (void)from;
    (void)to;
    (void)flags;
    ++*(uint64_t *)user;
    return 0;
}

static size_t fill(int fd, char *bytes, size_t len)
{
    while (len < SCAN_WINDOW) {
        ssize_t got = read(fd, bytes + len, SCAN_WINDOW - len);
        if (got <= 0)
            break;
        len += (size_t)got;
    }
    return len;
}

static bool scan_file(const struct scan_db *db, const char *path)
{
    char *bytes = xmalloc(SCAN_WINDOW);
    uint64_t matches = 0, total = 0;
    size_t len;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        fprintf(stderr, "cannot open '%s'\n", path);
        free(bytes);
        return false;
    }
    int64_t began = clock_monotonic();
    for (len = fill(fd, bytes, 0); len; len = fill(fd, bytes, len)) {
        const char *last = memrchr(bytes, '\n', len);
        size_t done = last ? (size_t)(last + 1 - bytes) : len;
        hs_scan(db->hs, bytes, (unsigned)done, 0, db->scratch, on_match, &matches);
        memmove(bytes, bytes + done, len - done);
        len -= done;
        total += done;
    }
    double seconds = (double)(clock_monotonic() - began) / CLOCK_SECOND;
    printf("%s: %" PRIu64 " bytes, %" PRIu64 " matches, %.3f s, %.2f GB/s\n", path, total, matches,
           seconds, (double)total / seconds / 1e9);
    close(fd);
    free(bytes);
    return true;
}

int main(int argc, char **argv)
{
    size_t len;
    const struct scan_pattern *patterns = scan_builtin(&len);
    struct scan_db_row *rows = xcalloc(len, sizeof *rows);
    struct scan_db db;
    bool fine = argc > 1;
    for (size_t i = 0; i < len; i++)
        rows[i] = (struct scan_db_row){patterns[i].pattern, NULL,
                                       patterns[i].caseless ? HS_FLAG_CASELESS : 0};
    scan_db_open(&db, rows, len);
    for (int i = 1; i < argc; i++)
        fine &= scan_file(&db, argv[i]);
    scan_db_close(&db);
    free(rows);
    return fine ? 0 : 1;
}
