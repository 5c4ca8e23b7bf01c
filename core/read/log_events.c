/* Stage: read. The log reader's own events: what Envoy, Istio's agent and access logs say that more than
 * one section asks for. A table of patterns; their named groups are columns of the dictionary, and a
 * test compares the two. Several rows may make one event: on one line the first of them counts.
 *
 * Deliberately missing: "lds: listener 'X' config rejected" and its twin for clusters (Envoy 1.39): the
 * same refusal follows as log.config_rejected, and must count once. */
#include "base/alloc.h"
#include "read/scan.h"

#define HEALTH_CHECKERS                                                                            \
    "(?:ELB-HealthChecker/|kube-probe/|GoogleHC/|Amazon-Route53-Health-Check-Service|"             \
    "Amazon Route 53 Health Check|Consul Health Check|Envoy/HC)"

/* Spelled out, because a scan that had to stop at every code 200 would take twice as long. */
#define FLAGS                                                                                      \
    "(?:UH|UF|UO|NR|NC|URX|UC|UT|UR|LR|LH|DC|DI|FI|RL|RLSE|UAEX|IH|SI|DPE|UMSDR|RFCF|NFCF|DT|UPE|" \
    "OM|DF|DO|DR|UDO)"

/* Envoy's default format and Istio's, which has three more fields behind the flags (two before 1.8) and
 * the cluster at the end. */
#define REQUEST                                                                                    \
    "\"(?<method>[^\" ]+) (?<path>[^\"]+?) ?(?<protocol>HTTP/[0-9.]+|[^\" ]+)\" (?<code>\\d+) "    \
    "(?<flags>\\S+) "                                                                              \
    "(?:(?:(?<details>[^\" ]\\S*) \\S+|\"[^\"]*\") \"(?<transport>[^\"]*)\" )?"                    \
    "\\d+ \\d+ (?:\\d+|-) (?:\\d+|-) \"[^\"]*\" "                                                  \
    "\"(?<user_agent>[^\"]*)\" \"[^\"]*\" \"(?<authority>[^\"]*)\" \"(?<upstream>[^\"]*)\""        \
    "(?: (?<cluster>[A-Za-z][^\" \\r\\n]*))?"

/* What web servers write (nginx, Apache: the combined format), as applications behind a proxy do. */
#define COMBINED                                                                                   \
    "\"(?<method>[^\" ]+) (?<path>[^\"]*?) (?<protocol>[^\" ]+)\" (?<code>\\d{3}) (?:\\d+|-) "     \
    "\"[^\"]*\" \"(?<user_agent>[^\"]*)\""

static const struct scan_pattern patterns[] = {
    {"access.error", "HTTP/[0-9.]+\" [45]\\d\\d (?:-|[A-Z][A-Za-z,]*)", false, REQUEST},
    {"access.error", "\" \\d{1,3} " FLAGS "[ ,]", false, REQUEST},
    {"access.error", "\"response_?[cC]ode\":[ ]?\"?[45]\\d\\d", false, NULL},
    {"access.error", "\"response_?[fF]lags\":[ ]?\"[A-Z][A-Z,]+", false, NULL},

    {"access.health_check", "HTTP/[0-9.]+\" \\d{3} (?:\\d+|-) \"[^\"\\n]*\" \"" HEALTH_CHECKERS,
     false, COMBINED},
    {"access.health_check", "\"" HEALTH_CHECKERS, false, REQUEST},

    {"log.aws_credentials",
     "(?:Could not (?:retrieve credentials listing|load AWS credentials document) from (?:the )?|"
     "No AWS credentials were found in (?:the )?|Failed to get token from (?:the )?|"
     "No AWS credentials found, using |Could not fetch )"
     "(?<provider>instance metadata|EC2MetadataService|EC2 metadata service|task role|"
     "container role|STS|anonymous credentials|AWS metadata)",
     false, NULL},

    {"log.bind_failed", "cannot bind '(?<address>[^'\\n]+)': (?<strerror>[A-Z][A-Za-z ]+)", false,
     NULL},

    {"log.cm_init",
     "cm init: (?<phase>initializing cds|initializing secondary clusters|all clusters initialized)",
     false, NULL},

    {"log.config_rejected", "[cC]onfig for (?<type_url>[^ \\n]+) (?:update )?rejected:", false,
     NULL},
    {"log.config_rejected",
     "Filesystem config update (?:rejected:|failure:(?: in (?<type_url>[^,\\n]+),)?)", false, NULL},

    {"log.config_rejected", "[lc]ds: fetch failure: error adding", false, NULL}, /* until 1.8 */

    {"log.fatal", "error `(?<reason>[^`\\n]+)` initializing config", false, NULL},
    {"log.fatal", "error initializing config(?:uration)? '[^'\\n]*': (?<reason>[^\\r\\n]+)", false,
     NULL},
    {"log.fatal", "` initializing config '", false, NULL},

    {"log.fetch_timeout",
     "(?:gRPC|delta|REST) config: initial fetch time(?:d )?out for (?<type_url>\\S+)", false, NULL},

    {"log.not_ready",
     "NOT ready: (?<why>[^:\\n]+): cds updates: (?<cds_ok>\\d+) successful, (?<cds_bad>\\d+) "
     "rejected; lds updates: (?<lds_ok>\\d+) successful, (?<lds_bad>\\d+) rejected",
     false, NULL},
    {"log.not_ready", "NOT ready: (?<why>server is not live), current state is: (?<state>[A-Z_]+)",
     false, NULL},
    {"log.not_ready", "Envoy proxy is NOT ready: (?<why>[^:\\r\\n]+)", false, NULL},

    {"log.start", "(?<step>initializing epoch|starting main dispatch loop)", false, NULL},

    {"log.stop",
     "(?<step>caught (?:ENVOY_)?SIG(?:TERM|INT)|shutting down server instance|"
     "main dispatch loop exited|closing and draining listeners|shutting down parent after drain|"
     "shutting down due to child request|terminating parent process)",
     false, NULL},
    {"log.stop",
     "(?<step>Agent draining [pP]roxy|Graceful termination period is [^,\\n]{1,20}, starting)",
     false, NULL},
    {"log.stop", "(?:\\] |\\) |\\t)(?<step>exiting)(?:\\tthread=\\d+)?\\r?$", false, NULL},

    {"log.tls_error",
     "TLS[ _]error:\\|?[ _]*\\d+:SSL[ _]routines:[^:\\n]*:(?<error>[A-Z][A-Z0-9_]*[A-Z0-9])", false,
     NULL},
    {"log.tls_error", "TLS[ _]error:[ _](?<error>Secret[ _]is[ _]not[ _]supplied[ _]by[ _]SDS)",
     false, NULL},

    {"log.variables",
     "(?<about>App Mesh|Envoy|Agent) Environment Variables: \\[(?<list>[^\\r\\n]*)\\]", false,
     NULL},

    {"log.workers_started", "all dependencies initialized\\. starting workers", false, NULL},

    /* The ordinary lines of a proxy that is served: what comes most often of all, so it is one event for
     * every section. "response indicates" announces an update, the others follow an accepted one. */
    {"log.xds_answered", "(?<type>cds): add(?:ed/updated)? (?<clusters>\\d+) cluster", false, NULL},
    {"log.xds_answered", "(?<type>cds): response indicates ", false, NULL},
    {"log.xds_answered", "(?<type>lds): add/update listener '(?<listener>[^'\\n]+)'", false, NULL},
    {"log.xds_answered", "connected to (?:delta )?upstream XDS server", false, NULL},

    {"log.xds_closed",
     "(?:(?<method>(?:Stream|Delta|Fetch)[A-Za-z]+) )?gRPC config stream(?: to (?<peer>\\S+))? "
     "closed(?: since (?<since>\\d+)s ago)?: (?<code>-?\\d+)",
     false, NULL},
};

const struct scan_pattern *scan_builtin(size_t *len)
{
    *len = ARRAY_LEN(patterns);
    return patterns;
}
