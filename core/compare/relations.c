/* Stage: compare. The table of what can be the reason for what: which findings, by what their ids say, may
 * come of which difference in which thing. Reads nothing, judges nothing. What stands in no row explains
 * nothing: to name a wrong reason is worse than to name none. */
#include "compare/relations.h"
#include "base/alloc.h"

/* Mechanisms, as ids tell them: TLS is not agreed on; nobody answers there; who asks is not let in. */
#define BAD_TLS                                                                                    \
    "*tls-*|*untrusted|*root-mismatch|*clock-skew|*client-certificate*|*protocol-mismatch|"        \
    "*protocol-error|*expired|*not-yet-valid|*expiring"
#define BAD_TRUST  "*untrusted|*unverified|*root-mismatch|*tls-verify-failed"
#define BAD_NAME   "*name-mismatch|*unverified|*tls-verify-failed"
#define NO_CONTACT "*refused|*timeout|*not-connected|*unavailable|*connect-fail|*unreachable"
#define BAD_DNS    "*dns-*"
#define DENIED     "*permission-denied|*no-credentials|*identity-rejected"
#define NOT_KNOWN  "*permission-denied|*resource-not-found|*identity-rejected|*node-id-invalid"
#define OVERFLOW   "*overflow"
#define NO_HOST    "*connect-fail|*no-healthy-host|*endpoints-missing|*eds-*|*connection-cut|*timeout"
#define NOT_ROUTED "*no-route|*wrong-host|*wrong-path|*missing-host-header|*check-failing"
#define NOT_READY  "*initializing|*live-unconfigured|*-unanswered"
#define NOT_BOUND  "*bind-denied|*capability*|*address-*|*port-*|*host-network-*"

#define TLS_OPTIONS "*: tls|*: secrets"

static const struct relation relations[] = {
    /* the stream to the management server: another server is asked, or in another way */
    {"xds-server", "bootstrap", "management server of *: address", "*", RELATED_BY_KIND, 140,
     false},
    {"xds-server", "bootstrap", "management server of *: tls", BAD_TLS "|" NO_CONTACT,
     RELATED_BY_KIND, 140, false},
    {"xds-server", "bootstrap", "management server of *: api_type", "*unimplemented",
     RELATED_BY_KIND, 120, false},
    {"xds-server", "bootstrap", "proxy: node_cluster|proxy: mesh", NOT_KNOWN, RELATED_BY_KIND, 60,
     false},
    {"xds-server", "cluster", TLS_OPTIONS, BAD_TLS "|" NO_CONTACT, RELATED_BY_SERVER, 128, false},
    {"xds-server", "cluster", "*: trust", BAD_TRUST, RELATED_BY_SERVER, 128, false},
    {"xds-server", "cluster", "*: sni|*: accepts", BAD_NAME, RELATED_BY_SERVER, 128, false},
    {"xds-server", "cluster", "*: certificate", "*client-certificate*", RELATED_BY_SERVER, 128,
     false},
    {"xds-server", "cluster", "*: type", BAD_DNS, RELATED_BY_SERVER, 128, false},
    {"xds-server", "cluster", "*: connect_timeout_s", "*timeout", RELATED_BY_SERVER, 100, false},
    {"xds-server", "cluster", "*: thresholds", OVERFLOW, RELATED_BY_SERVER, 128, false},
    {"xds-server", "cluster", "*: http2", "*protocol-*|*unimplemented", RELATED_BY_SERVER, 128,
     false},
    {"xds-server", "endpoint", "*: endpoints", "*", RELATED_BY_SERVER, 125, false},
    {"xds-server", "endpoint", "hosts of *", BAD_DNS "|" NO_CONTACT, RELATED_BY_SERVER, 125, true},
    {"xds-server", "certificate", "trusted *", BAD_TRUST, RELATED_BY_SERVER, 120, false},
    {"xds-server", "certificate", "certificate *", "*client-certificate*|*expired",
     RELATED_BY_SERVER, 120, false},
    {"xds-server", "env", "* *XDS*|* *DISCOVERY_ADDRESS*|* *EMS_ENDPOINT*", "*", RELATED_BY_KIND,
     90, false},
    {"xds-server", "env", "* *RESOURCE_ARN*|* *VIRTUAL_NODE_NAME*|* *RESOURCE_CLUSTER*", NOT_KNOWN,
     RELATED_BY_KIND, 90, false},
    {"xds-server", "env", "* *REGION*", "*endpoint*|*permission-denied|*dns-failed",
     RELATED_BY_KIND, 80, false},
    {"xds-server", "env", "* *CREDENTIAL*|* *ROLE_ARN*|* *TOKEN*", DENIED "|*token-*",
     RELATED_BY_KIND, 80, false},
    {"xds-server", "container", "*: task_role|*: service_account", DENIED, RELATED_BY_KIND, 70,
     false},
    {"xds-server", "container", "*: dns_policy|*: host_network", BAD_DNS, RELATED_BY_KIND, 60,
     false},
    {"xds-server", "host", "resolver *", BAD_DNS, RELATED_BY_KIND, 80, false},
    {"xds-server", "host", "clock: *", "*clock-skew|*expired|*not-yet-valid", RELATED_BY_KIND, 90,
     false},
    {"xds-server", "host", "packet filter *", NO_CONTACT "|" BAD_DNS, RELATED_BY_KIND, 70, false},
    {"xds-server", "stat", "stat control_plane.connected_state: *", "*", RELATED_BY_KIND, 110,
     true},
    {"xds-server", "stat", "*.upstream_cx_connect_*: *|*.ssl.*: *",
     BAD_TLS "|" BAD_DNS "|" NO_CONTACT, RELATED_BY_SERVER, 120, true},
    {"xds-server", "stat", "*none_healthy: *|*panic: *", BAD_DNS "|" NO_CONTACT, RELATED_BY_SERVER,
     110, true},
    {"xds-server", "xds", "resource cluster: state|resource listener: state", "*", RELATED_BY_KIND,
     100, true},

    /* a listener */
    {"listener", "xds", "resource listener *: error|resource listener *: stale", "*",
     RELATED_BY_NAME, 125, false},
    {"listener", "xds", "resource listener *: state", "*", RELATED_BY_NAME, 125, true},
    {"listener", "listener", "*: port|*: address|*: further_addresses|*: bind_to_port",
     "*address*|*port-*|*host-network-*|*ipv6*", RELATED_BY_NAME, 120, false},
    {"listener", "listener", "filter chain of *", "*no-filter-chain", RELATED_BY_NAME, 115, false},
    {"listener", "listener", "*: certificate|*: trust|" TLS_OPTIONS, BAD_TLS, RELATED_BY_NAME, 120,
     false},
    {"listener", "listener", "listener *: only-in-?", "*", RELATED_BY_NAME, 110, true},
    {"listener", "certificate", "*", BAD_TLS, RELATED_BY_NAME, 110, false},
    {"listener", "stat", "*", "*", RELATED_BY_PROOF, 100, true},

    /* an address that the proxy listens on, or shall */
    {"address", "xds", "resource listener *: error", NOT_BOUND, RELATED_BY_PROOF, 125, false},
    {"address", "listener", "*: port|*: address", NOT_BOUND, RELATED_BY_VALUE, 115, false},
    {"address", "listener", "listener *: only-in-?", NOT_BOUND, RELATED_BY_PROOF, 110, true},
    {"address", "listener", "socket *", "*in-use|*taken", RELATED_BY_NAME, 110, false},
    {"address", "bootstrap", "admin page: admin_address", "*admin-*", RELATED_BY_VALUE, 120, false},
    {"address", "container",
     "*: user|*: caps_add|*: caps_drop|*: privileged|*: unprivileged_port_start|"
     "*: allow_privilege_escalation",
     "*bind-denied|*capability*", RELATED_BY_KIND, 105, false},
    {"address", "container", "*: host_network|*: network_mode", "*in-use|*taken|*admin-*",
     RELATED_BY_KIND, 90, false},
    {"address", "host", "process *|kernel setting *unprivileged_port_start*",
     "*bind-denied|*capability*", RELATED_BY_KIND, 105, false},

    /* a cluster: how it is spoken to, where it leads, how much it takes */
    {"cluster", "cluster", TLS_OPTIONS, BAD_TLS "|*connection-cut|*connect-fail", RELATED_BY_NAME,
     120, false},
    {"cluster", "cluster", "*: trust", BAD_TRUST, RELATED_BY_NAME, 122, false},
    {"cluster", "cluster", "*: sni|*: accepts", BAD_NAME, RELATED_BY_NAME, 121, false},
    {"cluster", "cluster", "*: certificate", "*client-certificate*|*expired", RELATED_BY_NAME, 120,
     false},
    {"cluster", "cluster", "*: thresholds", OVERFLOW, RELATED_BY_NAME, 125, false},
    {"cluster", "cluster", "*: http2", "*protocol-*|*connection-cut", RELATED_BY_NAME, 120, false},
    {"cluster", "cluster", "*: connect_timeout_s", "*connect-fail|*timeout", RELATED_BY_NAME, 100,
     false},
    {"cluster", "cluster", "*: health_checks|*: outlier_detection|*: subsets",
     "*no-healthy-host|*health-check-*", RELATED_BY_NAME, 110, false},
    {"cluster", "cluster", "*: type|*: eds_service", "*endpoints-missing|*eds-*|" BAD_DNS,
     RELATED_BY_NAME, 112, false},
    {"cluster", "cluster", "*: lb_policy", "*.rejected|*constraint-violated", RELATED_BY_NAME, 110,
     false},
    {"cluster", "endpoint", "*: endpoints", NO_HOST "|" BAD_TLS, RELATED_BY_NAME, 118, false},
    {"cluster", "endpoint", "hosts of *", NO_HOST, RELATED_BY_NAME, 116, true},
    {"cluster", "xds", "resource *: error|resource *: stale", "*", RELATED_BY_NAME, 116, false},
    {"cluster", "xds", "resource *: state", "*", RELATED_BY_NAME, 116, true},
    {"cluster", "certificate", "trusted *", BAD_TRUST, RELATED_BY_NAME, 120, false},
    {"cluster", "certificate", "*: expires|certificate *", BAD_TLS, RELATED_BY_NAME, 120, false},
    {"cluster", "host", "clock: *", "*expired|*not-yet-valid", RELATED_BY_KIND, 90, false},
    {"cluster", "stat", "*.upstream_cx_connect_*: *|*.ssl.*: *", BAD_TLS "|" NO_CONTACT,
     RELATED_BY_NAME, 105, true},
    {"cluster", "stat", "*overflow: *|*_open: *", OVERFLOW, RELATED_BY_NAME, 105, true},
    {"cluster", "stat", "*healthy: *|*panic: *|*warming_state: *",
     NO_HOST "|*health-check-*|*.rejected", RELATED_BY_NAME, 105, true},

    /* routes and secrets that are asked for by name */
    {"route-config", "xds", "*", "*", RELATED_BY_NAME, 125, false},
    {"route-config", "route", "*: only-in-?", "*-unanswered", RELATED_BY_NAME, 115, true},
    {"route-config", "route", "*", NOT_ROUTED, RELATED_BY_NAME, 115, false},
    {"route-config", "stat", "*", "*", RELATED_BY_NAME, 100, true},
    {"secret", "xds", "*", "*", RELATED_BY_NAME, 125, false},
    {"secret", "certificate", "*", "*", RELATED_BY_NAME, 110, false},
    {"secret", "stat", "*", "*", RELATED_BY_NAME, 100, true},

    /* a certificate stands where a filter chain or cluster names it */
    {"certificate", "certificate", "*", "*", RELATED_BY_NAME, 120, false},
    {"certificate", "certificate", "*", "*", RELATED_BY_PROOF, 120, false},
    {"certificate", "listener", "*: certificate|*: trust|*: secrets", "*", RELATED_BY_PROOF, 110,
     false},
    {"certificate", "cluster", "*: certificate|*: trust|*: secrets", "*", RELATED_BY_PROOF, 110,
     false},
    {"certificate", "host", "clock: *", "*expired|*not-yet-valid", RELATED_BY_KIND, 90, false},

    /* all that was sent of a type ("Cluster") */
    {"config", "xds", "*: error|*: stale", "*", RELATED_BY_TYPE, 112, false},
    {"config", "xds", "*: state", "*", RELATED_BY_TYPE, 112, true},
    {"config", "bootstrap", "management server of *: fetch_timeout_s", "*fetch-timed-out",
     RELATED_BY_KIND, 110, false},
    {"config", "stat", "*.init_fetch_timeout: *", "*fetch-timed-out", RELATED_BY_KIND, 110, true},
    {"config", "stat", "*.update_rejected: *",
     "*rejected|*unknown-*|*deprecated-*|*missing-*|*constraint-*", RELATED_BY_KIND, 110, true},

    /* what runs, and with which rights */
    {"image", "image", "*", "*", RELATED_BY_VALUE, 120, false},
    {"image", "container", "*: cpu_architecture", "*platform", RELATED_BY_KIND, 100, false},
    {"image", "container", "*: execution_role|*: service_account",
     "*access-denied|*no-credentials|*role-*", RELATED_BY_KIND, 90, false},
    {"proxy", "version", "*", "*image*|*version*|*crashed|*-too-new", RELATED_BY_KIND, 90, false},
    {"image", "version", "*", "*image*|*version*|*crashed|*-too-new", RELATED_BY_KIND, 90, false},
    {"container", "image", "*", "*image*|*platform|*crashed", RELATED_BY_NAME, 110, false},
    {"container", "container", "*: limits|*: requests", "*oom*|*overload*|*too-strict",
     RELATED_BY_NAME, 110, false},
    {"container", "container", "*: user", "*uid-*|*bind-denied|*capability*", RELATED_BY_NAME, 110,
     false},
    {"container", "container", "probe of *",
     "*too-strict|*noise|*wrong-address|*command-broken|*unready", RELATED_BY_NAME, 110, false},
    {"container", "container", "*: host_network|*: dns_policy", "*dns*", RELATED_BY_NAME, 100,
     false},
    {"env", "env", "*", "*", RELATED_BY_NAME, 130, false},
    {"role", "container", "*: task_role|*: execution_role", "*", RELATED_BY_VALUE, 90, false},
    {"service-account", "container", "*: service_account", "*", RELATED_BY_VALUE, 90, false},

    /* what a load balancer asks and gets */
    {"target", "listener", "*: proxy_protocol", "*proxy-protocol", RELATED_BY_KIND, 115, false},
    {"target-group", "listener", "*: proxy_protocol", "*proxy-protocol", RELATED_BY_KIND, 115,
     false},
    {"target", "listener", "*: tls|*: codec", "*protocol-mismatch", RELATED_BY_PROOF, 110, false},
    {"target-group", "listener", "*: tls|*: codec", "*protocol-mismatch", RELATED_BY_PROOF, 110,
     false},
    {"target", "listener", "*: port|*: address", "*port-mismatch|*no-listener", RELATED_BY_PROOF,
     110, false},
    {"target", "listener", "*: health_path|*: http_filters", "*wrong-path|*check-failing",
     RELATED_BY_PROOF, 80, false},
    {"target", "route", "*", NOT_ROUTED, RELATED_BY_PROOF, 110, false},
    {"target", "xds", "resource listener *: error", "*no-listener", RELATED_BY_PROOF, 115, false},

    /* the proxy as a whole: what it waits for, what it has none of, what is too much */
    {"proxy", "state", "*: state", NOT_READY "|*drain*|*terminating", RELATED_BY_KIND, 110, true},
    {"proxy", "xds", "start-up waits for *", NOT_READY, RELATED_BY_KIND, 121, false},
    {"proxy", "xds", "resource listener*: error|resource cluster*: error", NOT_READY,
     RELATED_BY_KIND, 121, false},
    {"proxy", "xds", "resource *: state|resource *: only-in-?", NOT_READY, RELATED_BY_KIND, 121,
     true},
    {"proxy", "listener", "listener *: only-in-?", NOT_READY, RELATED_BY_KIND, 115, true},
    {"proxy", "bootstrap", "management server of *: fetch_timeout_s", "*live-unconfigured",
     RELATED_BY_KIND, 60, false},
    {"proxy", "bootstrap", "overload manager *", "*overload*", RELATED_BY_KIND, 110, false},
    {"proxy", "route", "*", NOT_ROUTED, RELATED_BY_KIND, 110, false},
    {"proxy", "container", "*: limits", "*oom*|*overload*", RELATED_BY_KIND, 110, false},
    {"proxy", "host", "limit of the control group *", "*oom*|*overload*", RELATED_BY_KIND, 110,
     false},
    {"proxy", "host", "limit *nofile*", "*file-descriptors", RELATED_BY_KIND, 110, false},
    {"proxy", "host", "control group *", "*oom*", RELATED_BY_KIND, 110, true},
    {"proxy", "stat", "*.no_route: *", NOT_ROUTED, RELATED_BY_KIND, 95, true},
    {"proxy", "stat", "stat control_plane.connected_state: *", "*pre-initializing", RELATED_BY_KIND,
     95, true},

    /* the very statistic that a finding was made of */
    {"*", "stat", "*", "*", RELATED_BY_PROOF, 95, true},
};

const struct relation *compare_relations(size_t *len)
{
    *len = ARRAY_LEN(relations);
    return relations;
}
