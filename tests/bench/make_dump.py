"""make_dump.py MEGABYTES > config_dump.json: a config_dump of a large gateway, deterministic.

The shape is that of a real dump (Envoy 1.36): a bootstrap, many clusters, one listener with many
filter chains, route configurations of which one is very large, because that is what costs memory.
"""
import json
import sys

UPDATED = "2026-11-21T08:00:00.000Z"


def cluster(i):
    return {"version_info": "v1", "last_updated": UPDATED, "cluster": {
        "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", "name": f"outbound|80||svc-{i}.ns.svc",
        "type": "EDS", "eds_cluster_config": {"eds_config": {"ads": {}}, "service_name": f"svc-{i}"},
        "connect_timeout": "10s", "metadata": {"filter_metadata": {"istio": {"services": [
            {"namespace": "ns", "name": f"svc-{i}", "host": f"svc-{i}.ns.svc.cluster.local"}] * 4}}}}}


def virtual_host(i):
    return {"name": f"svc-{i}.example.com:80", "domains": [f"svc-{i}.example.com", f"svc-{i}.example.com:80"],
            "routes": [{"name": f"r{r}", "match": {"prefix": f"/p{r}/"}, "route": {
                "cluster": f"outbound|80||svc-{i}.ns.svc", "timeout": "15s",
                "retry_policy": {"retry_on": "connect-failure,refused-stream", "num_retries": 2}}}
                for r in range(4)]}


def route(name, hosts):
    return {"version_info": "v1", "last_updated": UPDATED, "route_config": {
        "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration", "name": name,
        "virtual_hosts": [virtual_host(i) for i in range(hosts)]}}


def write_list(out, elements):
    for i, element in enumerate(elements):
        out.write((",\n" if i else "") + json.dumps(element))


def main():
    budget = int(sys.argv[1]) * 1000 * 1000
    hosts = budget // 2 // len(json.dumps(virtual_host(1000)))
    clusters = budget // 2 // len(json.dumps(cluster(1000)))
    out = sys.stdout
    prefix = "type.googleapis.com/envoy.admin.v3."
    out.write('{"configs": [\n' + json.dumps({"@type": prefix + "BootstrapConfigDump", "bootstrap": {
        "node": {"id": "gateway-1", "cluster": "gateway"},
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 9901}}}}}))
    out.write(',\n{"@type": "%sClustersConfigDump", "version_info": "v1", "dynamic_active_clusters": [' % prefix)
    write_list(out, (cluster(i) for i in range(clusters)))
    out.write(']},\n{"@type": "%sRoutesConfigDump", "dynamic_route_configs": [' % prefix)
    write_list(out, (route(f"r{i}", hosts // 4 if i == 0 else hosts // 40) for i in range(31)))
    out.write("]}\n]}\n")


main()
