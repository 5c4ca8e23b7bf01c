/* Resources of a proxy's configuration as evidence (xds.*), whether they come element by element from a
 * configuration dump or whole from a bootstrap file. Elements that a dump's splitter has cut out (routes,
 * virtual hosts, filter chains) wait here until the element around them tells its name. */
#ifndef DEBRIEF_READ_XDS_H
#define DEBRIEF_READ_XDS_H

#include "read/pending.h"
#include "read/proto.h"

struct xds_error { /* a rejected listener that the dump lists without its name */
    char *name, *pointer;
    cJSON *entry; /* own copy */
};

enum { XDS_DIGEST_MAX = 17, XDS_TEXTS_MAX = 2000 };

struct xds {
    struct reading *reading;
    struct pending chains, virtual_hosts, routes, certificates;
    size_t routes_named; /* rows of `routes` that know their virtual host already */
    size_t routes_seen;  /* of the virtual host that comes next, wanted or not */
    struct xds_error *nameless;
    size_t nameless_len;
    char (*texts)[XDS_DIGEST_MAX]; /* of certificates that were parsed already */
    size_t texts_len;
    bool texts_full;
    char **rejected; /* names of rejected listeners that the dump lists with their name */
    size_t rejected_len;
    bool crowded; /* resources were left out, and a problem says so */
};

void xds_init(struct xds *xds, struct reading *reading);
void xds_release(struct xds *xds);
bool xds_wants(const struct xds *xds, const char *table);
void xds_forget(struct xds *xds); /* children of an element that is not looked at */

/* A row of xds.resources; ERROR and what follows may be NULL. */
struct xds_resource {
    const char *type, *name, *state, *version, *updated, *error, *rejected, *pointer;
};
void xds_resource(struct xds *xds, const struct xds_resource *resource);

/* A text from Envoy without what differs from process to process ("goo.gle/debugproto   \n"), trimmed;
 * the caller frees it. */
char *xds_clean_text(const char *text);

/* One entry of the dump's lists. STATE is what its list says (active, warming, static ...). */
void xds_listener_entry(struct xds *xds, const cJSON *entry, const char *state,
                        const char *pointer);
void xds_cluster_entry(struct xds *xds, const cJSON *entry, const char *state, const char *pointer);
void xds_route_entry(struct xds *xds, const cJSON *entry, const char *state, const char *pointer);
void xds_listener_end(struct xds *xds); /* after the last entry */

/* Parts that were cut out of an entry. */
void xds_listener_chain(struct xds *xds, const cJSON *chain, const char *pointer);
void xds_route_virtual_host(struct xds *xds, const cJSON *host, const char *pointer);
void xds_route_route(struct xds *xds, const cJSON *route, const char *pointer);
/* What waits belongs to the route configuration NODE, which stands at POINTER; whatever of it was not
 * cut out is taken now. */
void xds_route_config(struct xds *xds, const cJSON *node, const char *pointer);

/* The first inline endpoint of a cluster, and whether it is reached by TLS ("yes", "no"). */
const char *xds_cluster_address(const cJSON *cluster, char out[PROTO_ADDRESS_MAX]);
const char *xds_cluster_tls(const cJSON *cluster);

/* Names of the secrets that a TLS context (transport_socket, or old tls_context, of NODE) takes from SDS,
 * joined by commas and added to OUT. */
void xds_secrets(struct buf *out, const cJSON *node);

/* xds_tls.c: certificates that the configuration holds, as rows of xds.certificates. Those of a listener's
 * chain wait until its name is known (NAME NULL), those of a secret do not. */
void xds_tls_secret(struct xds *xds, const cJSON *entry, const char *pointer);
void xds_tls_certificates(struct xds *xds, const cJSON *node, const char *kind, const char *name,
                          const char *pointer);
/* Calls SET for each of the columns certificate, trust and accepts that the TLS context of NODE tells. */
typedef void xds_tls_fn(void *user, const char *column, const char *value);
void xds_tls_describe(const cJSON *node, xds_tls_fn *set, void *user);

/* bootstrap.c: the `bootstrap` records and identity of a Bootstrap message. FILE: it is a file that may
 * be another proxy's, not the running proxy's own word. */
void bootstrap_take(struct reading *reading, const cJSON *bootstrap, const char *pointer,
                    bool file);

/* bootstrap_settings.c: its values, one by one, where somebody wants them. */
void bootstrap_settings(struct reading *reading, const cJSON *bootstrap, const char *pointer);

#endif
