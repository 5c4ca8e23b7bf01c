"""A small Kubernetes API server over recorded objects: enough of discovery, get, list and logs for a real kubectl.

It answers only GET, keeps what it was asked in `asked`, and can be told to refuse a resource or never to answer.
"""
import http.server
import json
import socketserver
import threading
import urllib.parse

# group/version -> {plural: (kind, namespaced)}
RESOURCES = {
    "v1": {"pods": ("Pod", True), "services": ("Service", True), "endpoints": ("Endpoints", True),
           "events": ("Event", True), "namespaces": ("Namespace", False), "nodes": ("Node", False),
           "serviceaccounts": ("ServiceAccount", True), "secrets": ("Secret", True)},
    "apps/v1": {"deployments": ("Deployment", True), "replicasets": ("ReplicaSet", True),
                "daemonsets": ("DaemonSet", True), "statefulsets": ("StatefulSet", True)},
    "batch/v1": {"jobs": ("Job", True)},
    "discovery.k8s.io/v1": {"endpointslices": ("EndpointSlice", True)},
    "networking.k8s.io/v1": {"networkpolicies": ("NetworkPolicy", True)},
    "admissionregistration.k8s.io/v1": {
        "mutatingwebhookconfigurations": ("MutatingWebhookConfiguration", False),
        "validatingwebhookconfigurations": ("ValidatingWebhookConfiguration", False)},
    "appmesh.k8s.aws/v1beta2": {
        "meshes": ("Mesh", False), "virtualnodes": ("VirtualNode", True), "virtualservices": ("VirtualService", True),
        "virtualrouters": ("VirtualRouter", True), "virtualgateways": ("VirtualGateway", True),
        "gatewayroutes": ("GatewayRoute", True)},
}


def _status(code, reason, message):
    return code, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
                  "reason": reason, "code": code}


def _groups():
    found = {}
    for version in RESOURCES:
        if "/" in version:
            group, short = version.split("/")
            entry = {"groupVersion": version, "version": short}
            found[group] = {"name": group, "versions": [entry], "preferredVersion": entry}
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": list(found.values())}


def _resource_list(version):
    rows = [{"name": plural, "singularName": kind.lower(), "namespaced": namespaced, "kind": kind,
             "verbs": ["get", "list"]} for plural, (kind, namespaced) in RESOURCES[version].items()]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": rows}


def _field(item, path):
    for part in path.split("."):
        item = item.get(part, {}) if isinstance(item, dict) else {}
    return item


def _selected(item, query):
    for term in filter(None, query.get("fieldSelector", [""])[0].split(",")):
        path, value = term.split("=", 1)
        if _field(item, path) != value.lstrip("="):
            return False
    labels = item.get("metadata", {}).get("labels", {})
    for term in filter(None, query.get("labelSelector", [""])[0].split(",")):
        name, value = term.split("=", 1)
        if labels.get(name) != value.lstrip("="):
            return False
    return True


class Cluster:
    """`objects`: what there is; `logs`: {(pod, container, previous): text or a path}; `forbidden`: plurals that are
    refused; `silent`: plurals that are never answered."""

    def __init__(self, objects, logs=None, forbidden=(), silent=()):
        self.objects, self.logs = list(objects), dict(logs or {})
        self.forbidden, self.silent = set(forbidden), set(silent)
        self.asked, self._stopping = [], threading.Event()

    def __enter__(self):
        cluster = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                url = urllib.parse.urlsplit(self.path)
                code, body = cluster.answer(url.path, urllib.parse.parse_qs(url.query))
                kind = "text/plain" if isinstance(body, str) else "application/json"
                body = (body if isinstance(body, str) else json.dumps(body)).encode()
                self.send_response(code)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = "http://127.0.0.1:%d" % self._server.server_port
        return self

    def __exit__(self, *_):
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path, query):
        if path == "/version":
            return 200, {"major": "1", "minor": "32", "gitVersion": "v1.32.4"}
        if path == "/api":
            return 200, {"kind": "APIVersions", "versions": ["v1"]}
        if path == "/apis":
            return 200, _groups()
        for version in RESOURCES:
            root = "/api/v1" if version == "v1" else "/apis/" + version
            if path == root:
                return 200, _resource_list(version)
            if path.startswith(root + "/"):
                return self._resource(version, path[len(root) + 1:].split("/"), query)
        return _status(404, "NotFound", "the server could not find the requested resource")

    def _resource(self, version, parts, query):
        namespace = None
        if parts[0] == "namespaces" and len(parts) > 2:
            namespace, parts = parts[1], parts[2:]
        plural = parts[0]
        self.asked.append("/".join(parts))
        if plural in self.silent:
            self._stopping.wait(60)
        kind, namespaced = RESOURCES[version].get(plural, (None, False))
        if plural in self.forbidden:
            where = "in the namespace \"%s\"" % namespace if namespaced else "at the cluster scope"
            group = version.split("/")[0] if "/" in version else ""
            return _status(403, "Forbidden", '%s is forbidden: User "reader" cannot %s resource "%s" in API group '
                           '"%s" %s' % (plural, "get" if parts[1:] else "list", plural, group, where))
        if parts[2:] == ["log"]:
            return self._log(parts[1], query)
        found = [item for item in self.objects if item["kind"] == kind and
                 (not namespaced or namespace in (None, item["metadata"].get("namespace"))) and _selected(item, query)]
        if len(parts) > 1:
            for item in found:
                if item["metadata"]["name"] == parts[1]:
                    return 200, item
            return _status(404, "NotFound", '%s "%s" not found' % (plural, parts[1]))
        return 200, {"kind": kind + "List", "apiVersion": version, "metadata": {"resourceVersion": "1"}, "items": found}

    def _log(self, pod, query):
        previous = query.get("previous", ["false"])[0] == "true"
        text = self.logs.get((pod, query.get("container", [""])[0], previous))
        if text is None:
            return _status(400, "BadRequest", "previous terminated container not found")
        return 200, text() if callable(text) else text
