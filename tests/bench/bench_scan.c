/* bench_scan PLUGINS [FILE...]: a bare libhs scan of the patterns of all checks, the yardstick for the
 * log engine. The same database over the same line-aligned windows of 1 MB, matches counted and nothing
 * else. Prints one line per file: bytes, matches, seconds, GB/s. Without FILE: the patterns, one a line,
 * for other programs to search with. */
#include "base/alloc.h"
#include "base/clock.h"
#include "check/plan.h"
#include "read/scan_db.h"
#include "read/scan_run.h"
#include <fcntl.h>
#include <hs.h>
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

/* The plan of `debrief check` without options: its patterns are the ones to scan for. */
static bool open_plan(struct registry *registry, struct plan *plan, char *dir)
{
    struct err err = ERR_INIT;
    struct plan_options options = {0};
    const char *const dirs[] = {dir};
    if (!registry_load(registry, dirs, 1, &err) || !plan_make(plan, registry, &options, &err)) {
        fprintf(stderr, "bench_scan: %s\n", err.text);
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct registry registry;
    struct plan plan;
    struct scan_db db;
    if (argc < 2 || !open_plan(&registry, &plan, argv[1]))
        return 1;
    if (argc == 2) {
        for (size_t i = 0; i < plan.patterns_len; i++)
            printf("%s%s\n", plan.patterns[i].caseless ? "(?i)" : "", plan.patterns[i].pattern);
        return 0;
    }
    struct scan_db_row *rows = xcalloc(plan.patterns_len + 1, sizeof *rows);
    for (size_t i = 0; i < plan.patterns_len; i++)
        rows[i] = (struct scan_db_row){plan.patterns[i].pattern, NULL,
                                       plan.patterns[i].caseless ? HS_FLAG_CASELESS : 0};
    scan_db_open(&db, rows, plan.patterns_len);
    bool fine = true;
    for (int i = 2; i < argc; i++)
        fine &= scan_file(&db, argv[i]);
    scan_db_close(&db);
    free(rows);
    plan_release(&plan);
    registry_release(&registry);
    return fine ? 0 : 1;
}
