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
        fleet_find(fleet, names_, sizeof names_ / sizeof *names_);                                 \
    } while (0)

static void folders_of_pods(void **state)
{
    struct fleet fleet;
    (void)state;
    FIND(&fleet, "./r/proxies/ns/b/config_dump?include_eds", "./r/proxies/ns/b/certs",
         "r/proxies/ns/b/stats/prometheus", "r/proxies/ns/a/server_info", "r/proxies/ns/a/clusters",
         "r/cluster/events", "r/proxies/ns/a/istio-proxy.log");
    assert_int_equal(fleet.len, 2);
    assert_string_equal(fleet.folders[0], "r/proxies/ns/a");
    assert_string_equal(fleet.folders[1], "r/proxies/ns/b");
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
    assert_string_equal(fleet.folders[0], "x");
    assert_string_equal(fleet.folders[1], "y");
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(folders_of_pods), cmocka_unit_test(bundles),
                                       cmocka_unit_test(one_proxy_is_no_fleet),
                                       cmocka_unit_test(nested)};
    return cmocka_run_group_tests_name("fleet", tests, NULL, NULL);
}
