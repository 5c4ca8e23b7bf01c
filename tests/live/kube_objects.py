"""The objects of one App Mesh pod and what surrounds it, as `kubectl get -o json` prints them. Written from the facts."""

NAMESPACE = "shop"
POD = "orders-7c9d-x2x1p"
MESH = "shop-mesh"
CONTROLLER = "appmesh-controller"


def _object(version, kind, name, namespace=NAMESPACE, **more):
    metadata = {"name": name, "uid": "uid-" + name, "creationTimestamp": "2026-11-21T06:00:00Z",
                **more.pop("metadata", {})}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **more}


def _owner(kind, name):
    return {"ownerReferences": [{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": "uid-" + name,
                                 "controller": True}]}


def _running(name, restarts=0, last=None):
    return {"name": name, "ready": True, "restartCount": restarts, "started": True, "image": name, "imageID": "x",
            "containerID": "containerd://" + name, "state": {"running": {"startedAt": "2026-11-21T06:00:05Z"}},
            "lastState": last or {}}


def pod(admin_port, name=POD, phase="Running"):
    envoy = {"name": "envoy", "image": "840364872350.dkr.ecr.us-west-2.amazonaws.com/aws-appmesh-envoy:v1.34.13.3-prod",
             "env": [{"name": "APPMESH_RESOURCE_ARN",
                      "value": "arn:aws:appmesh:us-west-2:111122223333:mesh/%s/virtualNode/orders_shop" % MESH},
                     {"name": "ENVOY_ADMIN_ACCESS_PORT", "value": str(admin_port)}],
             "securityContext": {"runAsUser": 1337}}
    application = {"name": "app", "image": "example.com/orders:1", "ports": [{"containerPort": 8080}],
                   "env": [{"name": "DB_PASSWORD", "value": "hunter2secret"}]}
    statuses = [_running("app"), _running("envoy", 1, {"terminated": {"exitCode": 1, "reason": "Error",
                                                                      "finishedAt": "2026-11-21T06:00:04Z"}})]
    return _object(
        "v1", "Pod", name, metadata={"labels": {"app": "orders"}, **_owner("ReplicaSet", "orders-7c9d")},
        spec={"serviceAccountName": "orders", "nodeName": "node-a", "containers": [application, envoy]},
        status={"phase": phase, "podIP": "10.0.0.7",
                "conditions": [{"type": "Ready", "status": "True"}],
                "containerStatuses": statuses if phase == "Running" else []})


def cluster(admin_port):
    labels = {"app": "orders"}
    webhook = {"name": "mpod.appmesh.k8s.aws", "sideEffects": "None", "admissionReviewVersions": ["v1"],
               "clientConfig": {"service": {"name": "appmesh-controller-webhook-service", "namespace": "appmesh-system",
                                            "path": "/mutate-v1-pod"}, "caBundle": "Y2E="}}
    endpoint = {"subsets": [{"addresses": [{"ip": "10.0.0.7"}], "ports": [{"port": 8080}]}]}
    return [
        pod(admin_port),
        _object("apps/v1", "ReplicaSet", "orders-7c9d", metadata=_owner("Deployment", "orders"),
                spec={"selector": {"matchLabels": labels}}, status={"replicas": 1}),
        _object("apps/v1", "Deployment", "orders", spec={"replicas": 1, "selector": {"matchLabels": labels}},
                status={"replicas": 1, "availableReplicas": 1}),
        _object("v1", "Namespace", NAMESPACE, None, metadata={"labels": {
            "mesh": MESH, "appmesh.k8s.aws/sidecarInjectorWebhook": "enabled"}}),
        _object("v1", "Namespace", "appmesh-system", None),
        _object("apps/v1", "Deployment", CONTROLLER, "appmesh-system", spec={
            "replicas": 1, "selector": {"matchLabels": {"app": CONTROLLER}}}),
        _object("v1", "Pod", CONTROLLER + "-0", "appmesh-system", metadata={"labels": {"app": CONTROLLER}},
                spec={"containers": [{"name": "controller", "image": "controller"}]},
                status={"phase": "Running", "containerStatuses": [_running("controller")]}),
        _object("v1", "Service", "orders", spec={"selector": labels, "ports": [{"port": 8080}]}),
        _object("v1", "Endpoints", "orders", **endpoint),
        _object("v1", "Endpoints", "appmesh-controller-webhook-service", "appmesh-system", **endpoint),
        _object("v1", "ServiceAccount", "orders", metadata={"annotations": {
            "eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/orders"}}),
        _object("v1", "Node", "node-a", None, status={"nodeInfo": {"kubeletVersion": "v1.32.4"}}),
        _object("v1", "Secret", "database", data={"password": "aHVudGVyMnNlY3JldA=="}),
        _object("v1", "Event", "orders.1", type="Normal", reason="Started", message="Started container envoy",
                involvedObject={"kind": "Pod", "name": POD, "namespace": NAMESPACE},
                firstTimestamp="2026-11-21T06:00:05Z", lastTimestamp="2026-11-21T06:00:05Z", count=1),
        _object("v1", "Event", "other.1", type="Warning", reason="Failed", message="Failed to pull image \"other\"",
                involvedObject={"kind": "Pod", "name": "somebody-else", "namespace": NAMESPACE},
                firstTimestamp="2026-11-21T06:00:05Z", lastTimestamp="2026-11-21T06:00:05Z", count=1),
        _object("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration",
                "appmesh-controller-mutating-webhook-configuration", None, webhooks=[webhook]),
        _object("appmesh.k8s.aws/v1beta2", "Mesh", MESH, None, spec={"namespaceSelector": {"matchLabels": {"mesh": MESH}}}),
        _object("appmesh.k8s.aws/v1beta2", "VirtualNode", "orders", spec={
            "podSelector": {"matchLabels": labels},
            "listeners": [{"portMapping": {"port": 8080, "protocol": "http"}}]}),
    ]
