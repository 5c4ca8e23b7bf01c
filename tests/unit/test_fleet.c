/* Which folders belong to one proxy each. */
#include "collect/fleet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define FIND(fleet, ...)                                                                           \
    do {                                                                                           \
        const char *const names_[] = {__VA_ARGS__};                                                \
        struct fleet_file files_[sizeof names_ / sizeof *names_] = {{0}};                          \
        for (size_t i_ = 0; i_ < sizeof names_ / sizeof *names_; i_++)                             \
            files_[i_].name = names_[i_];                                                          \
        fleet_find(fleet, files_, sizeof names_ / sizeof *names_);                                 \
    } while (0)

static void folders_of_pods(void **state)
{
    struct fleet fleet;
    (void)state;
    FIND(&fleet, "./r/proxies/ns/b/config_dump?include_eds", "./r/proxies/ns/b/certs",
         "r/proxies/ns/b/stats/prometheus", "r/proxies/ns/a/server_info", "r/proxies/ns/a/clusters",
         "r/cluster/events", "r/proxies/ns/a/istio-proxy.log");
    assert_int_equal(fleet.len, 2);
    assert_string_equal(fleet.members[0].folder, "r/proxies/ns/a");
    assert_string_equal(fleet.members[1].folder, "r/proxies/ns/b");
    assert_int_equal(fleet.files, 1);
    fleet_release(&fleet);
}

/* What tells bundles apart is the folder around their pages, which holds their logs too. */
static void bundles(void **state)
{
    struct fleet fleet;
    (void)state;
    FIND(&fleet, "x/admin/stats.txt", "x/admin/certs.json", "x/log/envoy.log", "y/admin/stats.txt",
         "y/admin/certs.json", "y/sample-2/admin/stats.txt", "y/sample-2/admin/ready.txt");
    assert_int_equal(fleet.len, 2);
    assert_string_equal(fleet.members[0].folder, "x");
    assert_string_equal(fleet.members[1].folder, "y");
    assert_int_equal(fleet.files, 0);
    fleet_release(&fleet);
}

static void one_proxy_is_no_fleet(void **state)
{
    struct fleet fleet;
    (void)state;
    FIND(&fleet, "admin/stats.txt", "admin/certs.json", "other/stats.txt", "stats.txt");
    assert_int_equal(fleet.len, 0);
    fleet_release(&fleet);
    FIND(&fleet, "clusters", "certs", "a/readme");
    assert_int_equal(fleet.len, 0);
    fleet_release(&fleet);
}

/* Risen by one, the folders of the second would lie in the first one's. */
static void nested(void **state)
{
    struct fleet fleet;
    (void)state;
    FIND(&fleet, "a/admin/certs", "a/admin/stats", "a/b/admin/certs", "a/b/admin/stats");
    assert_int_equal(fleet.len, 0);
    fleet_release(&fleet);
}

/* Whose a file is: by the shortest of its folders that is somebody's. */
static void owners(void **state)
{
    struct fleet fleet;
    (void)state;
    FIND(&fleet, "p/n/a/certs", "p/n/a/clusters", "p/n/a-b/certs", "p/n/a-b/clusters",
         "x/pods/logs/n/a/istio-proxy.log", "x/pods/logs/n/c/app.log", "x/nodes.json");
    assert_int_equal(fleet.len, 2);
    assert_int_equal(fleet_owner(&fleet, "p/n/a/deep/er"), 0);
    assert_int_equal(fleet_owner(&fleet, "./p/n/a-b/certs"), 1);
    assert_int_equal(fleet_owner(&fleet, "x/pods/logs/n/a/app.log"), 0);
    assert_true(fleet_owner(&fleet, "x/pods/logs/n/c/app.log") == FLEET_REST);
    assert_true(fleet_owner(&fleet, "p/n") == FLEET_REST);
    assert_string_equal(fleet.members[1].pod, "n/a-b");
    assert_null(fleet.members[0].folder);
    assert_int_equal(fleet.files, 2);
    assert_true(fleet_shared("x/nodes.json"));
    assert_false(fleet_shared("x/pods/logs/n/c/app.log"));
    assert_true(fleet_holds(&fleet, 0, "p"));
    assert_false(fleet_holds(&fleet, 0, "x/pods/logs/n/c"));
    fleet_release(&fleet);
}

/* A proxy's pages and the log of the one pod that it can be. */
static void pages_and_one_pod(void **state)
{
    struct fleet fleet;
    (void)state;
    FIND(&fleet, "admin/stats", "admin/certs", "pod-logs/n/web/envoy.log");
    assert_int_equal(fleet.len, 0);
    fleet_release(&fleet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(folders_of_pods),
                                       cmocka_unit_test(bundles),
                                       cmocka_unit_test(one_proxy_is_no_fleet),
                                       cmocka_unit_test(nested),
                                       cmocka_unit_test(owners),
                                       cmocka_unit_test(pages_and_one_pod)};
    return cmocka_run_group_tests_name("fleet", tests, NULL, NULL);
}
