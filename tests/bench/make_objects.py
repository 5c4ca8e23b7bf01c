"""make_objects.py COUNT DIR: COUNT objects of AWS and Kubernetes in files as the clients print them, deterministic.

Two thirds are Kubernetes (pods, services, endpoints, network policies), one third AWS (tasks, network
interfaces, security groups, target health). All of them are healthy.
"""
import json
import pathlib
import sys

ACCOUNT = "111122223333"


def pod(i):
    name = f"web-{i // 20}-{i:05x}"
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {
        "name": name, "namespace": f"team-{i % 7}", "labels": {"app": f"web-{i // 20}", "tier": "front"},
        "annotations": {"sidecar.istio.io/status": json.dumps({"containers": ["istio-proxy"], "revision": "default"})}},
        "spec": {"serviceAccountName": f"web-{i // 20}", "containers": [
            {"name": "app", "image": f"registry.example.com/web:{i // 20}", "ports": [{"containerPort": 8080}],
             "readinessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 10},
             "env": [{"name": f"SETTING_{n}", "value": "x" * 40} for n in range(10)]},
            {"name": "istio-proxy", "image": "docker.io/istio/proxyv2:1.24.0", "ports": [{"containerPort": 15090}],
             "readinessProbe": {"httpGet": {"path": "/healthz/ready", "port": 15021}}}]},
        "status": {"phase": "Running", "podIP": f"10.1.{i // 250}.{i % 250}", "conditions": [
            {"type": kind, "status": "True"} for kind in ("Initialized", "Ready", "ContainersReady", "PodScheduled")],
            "containerStatuses": [
                {"name": container, "ready": True, "started": True, "restartCount": 0, "image": "x",
                 "state": {"running": {"startedAt": "2026-11-21T08:00:00Z"}}} for container in ("app", "istio-proxy")]}}


def service(i):
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": f"web-{i}", "namespace": f"team-{i % 7}"},
            "spec": {"selector": {"app": f"web-{i}"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}}


def endpoints(i):
    return {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": f"web-{i}", "namespace": f"team-{i % 7}"},
            "subsets": [{"addresses": [{"ip": f"10.1.{i % 200}.{n}"} for n in range(20)], "ports": [{"port": 8080}]}]}


def policy(i):
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": {"name": f"web-{i}", "namespace": f"team-{i % 7}"},
            "spec": {"podSelector": {"matchLabels": {"app": f"web-{i}"}}, "policyTypes": ["Ingress"],
                     "ingress": [{"ports": [{"port": 8080}]}]}}


def task(i):
    return {"taskArn": f"arn:aws:ecs:us-west-2:{ACCOUNT}:task/shop/{i:032x}", "lastStatus": "RUNNING",
            "desiredStatus": "RUNNING", "healthStatus": "HEALTHY", "launchType": "FARGATE",
            "taskDefinitionArn": f"arn:aws:ecs:us-west-2:{ACCOUNT}:task-definition/web:{i}",
            "containers": [{"name": name, "lastStatus": "RUNNING", "healthStatus": "HEALTHY"} for name in ("app", "envoy")]}


def interface(i):
    return {"NetworkInterfaceId": f"eni-{i:017x}", "PrivateIpAddress": f"10.2.{i // 250}.{i % 250}", "Status": "in-use",
            "SubnetId": f"subnet-{i % 6:017x}", "VpcId": "vpc-1", "Groups": [{"GroupId": f"sg-{i % 50:017x}"}]}


def group(i):
    return {"GroupId": f"sg-{i:017x}", "GroupName": f"web-{i}", "VpcId": "vpc-1",
            "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080,
                               "IpRanges": [{"CidrIp": f"10.{n}.0.0/16"} for n in range(10)]}],
            "IpPermissionsEgress": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}


def health(i):
    return {"Target": {"Id": f"10.2.{i // 250}.{i % 250}", "Port": 8080}, "TargetHealth": {"State": "healthy"}}


KINDS = (  # file, its share of COUNT in parts, maker, what the client puts around the objects
    ("k8s/pods.json", 3, pod, "List"), ("k8s/services.json", 2, service, "List"),
    ("k8s/endpoints.json", 2, endpoints, "List"), ("k8s/networkpolicies.json", 1, policy, "List"),
    ("aws/describe-tasks.json", 1, task, "tasks"), ("aws/describe-network-interfaces.json", 1, interface, "NetworkInterfaces"),
    ("aws/describe-security-groups.json", 1, group, "SecurityGroups"),
    ("aws/describe-target-health.json", 1, health, "TargetHealthDescriptions"))


def main():
    count, top = int(sys.argv[1]), pathlib.Path(sys.argv[2])
    for name, share, maker, around in KINDS:
        items = [maker(i) for i in range(count * share // sum(kind[1] for kind in KINDS))]
        document = {"apiVersion": "v1", "kind": "List", "items": items} if around == "List" else {around: items}
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(json.dumps(document, indent=4))


main()
