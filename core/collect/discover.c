/* Collect: finds the admin address of an Envoy on this host when none was named. Asks the usual
 * ports on loopback, writes the one that answers like an Envoy. Deliberately short of patience
 * and of ports: this is a convenience, not a scan. */
#include "base/alloc.h"
#include "collect/admin.h"
#include "collect/fetch.h"
#include "collect/target_parse.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ASK_MS = 1000, HEAD_MAX = 1 << 16 };

static const char *const usual[] = {"http://127.0.0.1:9901", "http://127.0.0.1:15000",
                                    "http://127.0.0.1:19000"};

static bool answers(const struct target *target, const char *page, char *head, size_t *len,
                    long *status)
{
    static const struct collect_options options;
    char path[] = "/tmp/debrief-XXXXXX";
    struct fetch_result result = {.outcome = FETCH_UNREACHABLE};
    int fd = mkostemp(path, O_CLOEXEC);
    *len = 0;
    if (fd < 0)
        return false;
    unlink(path);
    struct fetch *fetch = fetch_new(target, &options);
    fetch_get(fetch, page, fd, HEAD_MAX, ASK_MS, &result);
    fetch_free(fetch);
    ssize_t got = pread(fd, head, HEAD_MAX, 0);
    close(fd);
    *len = got > 0 ? (size_t)got : 0;
    *status = result.status;
    return result.outcome == FETCH_DONE || result.outcome == FETCH_TOO_LARGE;
}

static bool is_state(const char *head, size_t len)
{
    static const char *const states[] = {"LIVE", "DRAINING", "PRE_INITIALIZING", "INITIALIZING"};
    while (len && (head[len - 1] == '\n' || head[len - 1] == '\r'))
        len--;
    for (size_t i = 0; i < ARRAY_LEN(states); i++)
        if (len == strlen(states[i]) && memcmp(head, states[i], len) == 0)
            return true;
    return false;
}

bool targets_is_envoy(const struct target *target)
{
    char *head = xmalloc(HEAD_MAX);
    size_t len;
    long status;
    bool envoy = answers(target, "/server_info", head, &len, &status) &&
                 admin_is_envoy(status, head, len);
    /* A node with much metadata may not be told by its beginning; /ready is one word. */
    if (!envoy)
        envoy = answers(target, "/ready", head, &len, &status) && is_state(head, len);
    free(head);
    return envoy;
}

bool targets_discover(struct targets *targets, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(usual); i++) {
        struct targets tried;
        targets_init(&tried);
        bool envoy = targets_is_envoy(target_add(&tried, TARGET_ADMIN, usual[i], usual[i]));
        targets_release(&tried);
        if (!envoy)
            continue;
        target_add(targets, TARGET_ADMIN, usual[i], usual[i]);
        return true;
    }
    return err_set(err,
                   "no target was named, and no Envoy answers on 127.0.0.1 port 9901, 15000 or "
                   "19000; name its admin address, a file or a directory");
}

void targets_discover_dry_run(void)
{
    for (size_t i = 0; i < ARRAY_LEN(usual); i++)
        printf("GET %s/server_info\n", usual[i]);
}
