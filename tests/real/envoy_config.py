"""Envoy configuration, as the dictionaries that its JSON is made of: bootstraps and the resources of an xDS server.

Only what the states need. Names are short and neutral: a cluster name such as `xds-grpc` would tell a mesh.
"""

XDS_CLUSTER = "management_server"
STAT_PREFIX = "ads"
API = "V3"


def address(host, port, protocol=None):
    """A socket address."""
    fields = {"address": host, "port_value": port}
    if protocol:
        fields["protocol"] = protocol
    return {"socket_address": fields}


def _endpoints(name, host, port):
    return {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(host, port)}}]}]}


def _http2():
    options = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    return {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": options, "explicit_http_config": {"http2_protocol_options": {}}}}


def client_tls(authority, name):
    """A TLS client that trusts one authority and accepts one name."""
    san = {"san_type": "DNS", "matcher": {"exact": name}}
    return {"name": "envoy.transport_sockets.tls", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        "sni": name,
        "common_tls_context": {"validation_context": {
            "trusted_ca": {"filename": authority}, "match_typed_subject_alt_names": [san]}}}}


def resolver(host, port):
    """Ask one DNS server, and no other, whatever /etc/resolv.conf says."""
    return {"name": "envoy.network.dns_resolver.cares", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig",
        "resolvers": [address(host, port, "UDP")]}}


def xds_cluster(host, port, tls=None, dns=None):
    """The static cluster through which Envoy's own gRPC client reaches the management server."""
    cluster = {"name": XDS_CLUSTER, "connect_timeout": "1s", "type": "STRICT_DNS" if dns else "STATIC",
               "typed_extension_protocol_options": _http2(), "load_assignment": _endpoints(XDS_CLUSTER, host, port)}
    if tls:
        cluster["transport_socket"] = tls
    if dns:
        cluster["typed_dns_resolver_config"] = dns
    return cluster


def envoy_grpc(longest_back_off=None):
    """Envoy's own gRPC client. Retriable failures are logged once they last longer than the longest back-off (30 s
    by default), so a shorter one brings the same line sooner."""
    service = {"cluster_name": XDS_CLUSTER}
    if longest_back_off:
        service["retry_policy"] = {"retry_back_off": {"base_interval": "0.5s", "max_interval": longest_back_off}}
    return {"envoy_grpc": service}


def google_grpc(host, port, authority=None):
    """Google's gRPC client, which App Mesh uses."""
    service = {"target_uri": "%s:%d" % (host, port), "stat_prefix": STAT_PREFIX}
    if authority:
        service["channel_credentials"] = {"ssl_credentials": {"root_certs": {"filename": authority}}}
    return {"google_grpc": service}


def from_ads(first_wait):
    """Take a kind of resource from ADS and wait so long for the first answer; 0s is for ever."""
    return {"ads": {}, "resource_api_version": API, "initial_fetch_timeout": first_wait}


def bootstrap(node_id, admin_port, client, clusters=(), first_wait="0s"):
    """A bootstrap whose clusters and listeners come from a management server."""
    return {
        "node": {"id": node_id, "cluster": "shop"},
        "admin": {"address": address("127.0.0.1", admin_port)},
        "dynamic_resources": {
            "ads_config": {"api_type": "GRPC", "transport_api_version": API, "grpc_services": [client]},
            "cds_config": from_ads(first_wait), "lds_config": from_ads(first_wait)},
        "static_resources": {"clusters": list(clusters)}}


def eds_cluster(name):
    """A cluster whose endpoints come from ADS."""
    return {"name": name, "connect_timeout": "1s", "type": "EDS",
            "eds_cluster_config": {"eds_config": from_ads("0s")}}


def endpoints(name, host, port):
    """The endpoints of an eds_cluster."""
    return _endpoints(name, host, port)


def _access_log(path):
    return {"name": "envoy.access_loggers.file", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog", "path": path}}


def _connection_manager(routes, log_path):
    router = {"name": "envoy.filters.http.router", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}
    manager = {
        "@type": ("type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3"
                  ".HttpConnectionManager"),
        "stat_prefix": "ingress", "http_filters": [router],
        "rds": {"route_config_name": routes, "config_source": from_ads("0s")}}
    if log_path:
        manager["access_log"] = [_access_log(log_path)]
    return {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}


def listener(name, port, routes, log_path=None):
    """An HTTP listener on every address whose routes come from ADS."""
    return {"name": name, "address": address("0.0.0.0", port), "traffic_direction": "INBOUND",
            "filter_chains": [{"filters": [_connection_manager(routes, log_path)]}]}


def serve_tls(listener_fields, secret):
    """Make a listener want a certificate that comes from ADS under that name."""
    listener_fields["filter_chains"][0]["transport_socket"] = {
        "name": "envoy.transport_sockets.tls", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {"tls_certificate_sds_secret_configs": [
                {"name": secret, "sds_config": from_ads("0s")}]}}}


# Changes of what a server serves (resources, ports), each of which a proxy refuses, or at least should notice

def twin_chains(resources, _):
    """Two filter chains of a listener have the same conditions."""
    resources["LDS"][0]["filter_chains"] *= 2


def unknown_filter(resources, _):
    """A listener with a filter that no Envoy has: it also makes /config_dump unreadable."""
    resources["LDS"][0]["filter_chains"][0]["filters"].insert(
        0, {"name": "example.unknown", "typed_config": {"@type": "type.googleapis.com/example.Unknown"}})


def duplicate_address(resources, ports):
    """A second listener on the first one's address."""
    resources["LDS"].append(listener("ingress-copy", ports["ingress"], "ingress-routes"))


def unknown_field(resources, _):
    """A listener with a field that this Envoy does not know."""
    resources["LDS"][0]["unknown_field"] = 9999


def empty_prefix(resources, _):
    """A listener whose connection manager breaks a rule of the API."""
    resources["LDS"][0]["filter_chains"][0]["filters"][0]["typed_config"]["stat_prefix"] = ""


def unknown_cluster(resources, _):
    """A listener whose own routes name a cluster that was not sent."""
    manager = resources["LDS"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    del manager["rds"]
    manager["route_config"] = routes("ingress-routes", "payments")


def host_name(resources, _):
    """A listener with a name where an address must stand."""
    resources["LDS"][0]["address"] = address("gateway.shop.example.com", 10000)


def bad_ring(resources, _):
    """A cluster whose hash ring is at least larger than it is at most."""
    resources["CDS"][0].update(lb_policy="RING_HASH",
                               ring_hash_lb_config={"minimum_ring_size": 5, "maximum_ring_size": 2})


def old_field(resources, _):
    """A cluster with a field that is deprecated."""
    resources["CDS"][0]["http2_protocol_options"] = {}


def bad_secret(resources, _):
    """A certificate that is none."""
    serve_tls(resources["LDS"][0], "ingress-certificate")
    resources["SDS"] = [{"name": "ingress-certificate", "tls_certificate": {
        "certificate_chain": {"inline_string": "-----BEGIN CERTIFICATE-----\nbm90aGluZw==\n"
                                               "-----END CERTIFICATE-----\n"},
        "private_key": {"inline_string": "none"}}}]


NO_DEPRECATED = {"layered_runtime": {"layers": [
    {"name": "strict", "static_layer": {"envoy.features.fail_on_any_deprecated_feature": True}}]}}


def tiny_heap():
    """An overload manager for which any heap is too large."""
    monitor = "type.googleapis.com/envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig"
    names = ("stop_accepting_requests", "shrink_heap")
    return {"refresh_interval": "0.25s",
            "resource_monitors": [{"name": "envoy.resource_monitors.fixed_heap", "typed_config": {
                "@type": monitor, "max_heap_size_bytes": 1000000}}],
            "actions": [{"name": "envoy.overload_actions." + name, "triggers": [
                {"name": "envoy.resource_monitors.fixed_heap", "threshold": {"value": 0.9}}]} for name in names]}


def routes(name, cluster, domains=("*",)):
    """Routes that send everything under those domains to one cluster."""
    return {"name": name, "virtual_hosts": [
        {"name": cluster, "domains": list(domains), "routes": [
            {"match": {"prefix": "/"}, "route": {"cluster": cluster}}]}]}
