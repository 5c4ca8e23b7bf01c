"""One incident, checked again and again with what the answer before asked for: from a line that somebody pasted to the
policy that refuses. Each step sharpens the answer, and asks for the evidence of the next one."""
import json

from harness import Case, debrief, main

LOG = """\
[2026-03-01 10:00:00.118][1][info][main] [source/server/server.cc:467] initializing epoch 0 (base id=0, hot restart version=disabled)
[2026-03-01 10:00:00.402][1][info][main] [source/server/server.cc:1051] starting main dispatch loop
"""
CLOSED = ("[2026-03-01 10:00:%02d.217][1][warning][config] [./source/extensions/config_subscription/grpc/grpc_stream.h:189] "
          "StreamAggregatedResources gRPC config stream to appmesh-envoy-management.eu-west-1.amazonaws.com:443 closed: %s\n")
NODE = "arn:aws:appmesh:eu-west-1:111122223333:mesh/shop/virtualNode/orders"
REFUSED = f"7, Unauthorized to perform appmesh:StreamAggregatedResources for {NODE}."
ROLE = "arn:aws:iam::111122223333:role/orders-task"


def log(closed, *lines):
    return LOG + "".join(lines) + "".join(CLOSED % (second, closed) for second in (1, 5, 14, 39))


def document(action, resource):
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]}


TASK_DEFINITION = {"taskDefinition": {
    "taskDefinitionArn": "arn:aws:ecs:eu-west-1:111122223333:task-definition/orders:7", "family": "orders", "revision": 7,
    "status": "ACTIVE", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "taskRoleArn": ROLE,
    "executionRoleArn": "arn:aws:iam::111122223333:role/orders-execution",
    "containerDefinitions": [
        {"name": "app", "image": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/orders:3", "essential": True},
        {"name": "envoy", "image": "840364872350.dkr.ecr.eu-west-1.amazonaws.com/aws-appmesh-envoy:v1.34.13.3-prod",
         "essential": True, "user": "1337", "environment": [{"name": "APPMESH_RESOURCE_ARN", "value": NODE}],
         "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/orders"}}}]}}
POLICY = {"RoleName": "orders-task", "PolicyName": "mesh", "PolicyDocument": document("appmesh:DescribeMesh", "*")}
# What a role has is known when its lists are: one policy of its own, none attached.
POLICIES = [POLICY, {"PolicyNames": ["mesh"]}, {"AttachedPolicies": []}]

# What was applied: on a pod that runs the webhook of EKS has put the role's name, too.
DEPLOYMENT = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "orders", "namespace": "shop"}, "spec": {"template": {
    "metadata": {"labels": {"app": "orders"}}, "spec": {"serviceAccountName": "orders", "containers": [
        {"name": "app", "image": "example.com/orders:3"},
        {"name": "envoy", "image": "840364872350.dkr.ecr.eu-west-1.amazonaws.com/aws-appmesh-envoy:v1.34.13.3-prod",
         "env": [{"name": "APPMESH_VIRTUAL_NODE_NAME", "value": "mesh/shop/virtualNode/orders"}]}]}}}}
ACCOUNT = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {
    "name": "orders", "namespace": "shop", "annotations": {"eks.amazonaws.com/role-arn": ROLE}}}
BARE_ACCOUNT = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "orders", "namespace": "shop"}}
NO_CREDENTIALS = ("[2026-03-01 10:00:00.884][24][error][aws] [source/extensions/common/aws/credentials_provider_impl.cc:94] "
                  "Could not retrieve credentials listing from the instance metadata\n")

DEFINITION_ASK, POLICY_ASK = r"aws ecs describe-task-definition", r"aws iam get-role-policy --role-name orders-task"


class Ladder(Case):
    """Steps: files that are added, confidence (with '?': candidates are named), what the message says then, and what is among
    the first things asked for."""

    def check(self):
        done = debrief("check", self.dir / "evidence", "-o", "json", "--fail-on", "never", env={"DEBRIEF_NOW": "2026-03-01T10:02:00Z"})
        return done.target, json.dumps([done.target["findings"], done.target["asks"][:6]], indent=1)

    def climb(self, finding, steps):
        for files, confidence, says, asks in steps:
            for name, content in files.items():
                self.file("evidence/" + name, content if isinstance(content, str) else json.dumps(content, indent=2))
            target, all = self.check()
            top, what = target["findings"][0], f"after {list(files)}: {all}"
            self.assertEqual(top["id"], finding, what)
            self.assertEqual(top["confidence"] + ("?" if top["candidates"] else ""), confidence, what)
            self.assertRegex(top["message"], says, what)
            for ask in asks:
                self.assertRegex(" | ".join(each["how"] for each in target["asks"][:3]), ask, what)
        return target

    def test_refused_on_ecs(self):
        target = self.climb("grpc-codes.permission-denied", [
            ({"paste.txt": "gRPC config stream closed: 7\n"}, "likely?", r"refuses .* code 7 .*no text", [r"aws logs tail|kubectl logs"]),
            ({"paste.txt": "see the log\n", "envoy.log": log(REFUSED)}, "likely?", r"may not perform appmesh:StreamAggregatedResources on " + NODE,
             [DEFINITION_ASK]),
            ({"task-definition.json": TASK_DEFINITION}, "likely?", r"runs as role orders-task, by the task definition", [POLICY_ASK]),
            ({f"policy-{i}.json": each for i, each in enumerate(POLICIES)}, "certain", r"orders-task.* (allow appmesh:DescribeMesh and not this|say)", []),
        ])
        proof = {each["source"] for each in target["findings"][0]["evidence"]}
        self.assertTrue({"envoy.log"} <= proof and any("policy" in each for each in proof), proof)
        self.assertIn("--role-name orders-task", json.dumps(target["findings"][0]["fix"]))

    def test_refused_on_eks(self):
        self.climb("grpc-codes.permission-denied", [
            ({"paste.txt": "StreamAggregatedResources gRPC config stream closed: 7, \n"}, "likely?", r"code 7", [r"kubectl logs"]),
            ({"envoy.log": log(REFUSED)}, "likely?", r"may not perform", [r"kubectl get pod"]),
            ({"deployment.json": DEPLOYMENT}, "likely?", r"may not perform", [r"kubectl get serviceaccount orders -n shop"]),
            ({"serviceaccount.json": ACCOUNT}, "likely?", r"runs as role orders-task, by service account orders", [POLICY_ASK]),
            ({f"policy-{i}.json": each for i, each in enumerate(POLICIES)}, "certain", r"orders-task", []),
        ])

    def test_no_credentials_on_eks(self):
        self.climb("grpc-codes.no-credentials", [
            ({"paste.txt": "gRPC config stream closed: 16\n"}, "likely?", r"no credentials", [r"kubectl logs"]),
            ({"envoy.log": log("16, Missing Authentication Token", NO_CREDENTIALS)}, "certain?", r"Missing Authentication Token", [r"kubectl get pod"]),
            ({"deployment.json": DEPLOYMENT}, "certain?", r"Missing Authentication Token", [r"kubectl get serviceaccount orders -n shop"]),
            ({"serviceaccount.json": BARE_ACCOUNT}, "certain", r"service account orders, which is bound to no role", []),
        ])

    def test_cut_off_on_ecs(self):
        captured = json.loads(json.dumps(TASK_DEFINITION))
        captured["taskDefinition"]["containerDefinitions"][1]["user"] = "1000"
        captured["taskDefinition"]["proxyConfiguration"] = {"type": "APPMESH", "containerName": "envoy", "properties": [
            {"name": "IgnoredUID", "value": "1337"}, {"name": "ProxyIngressPort", "value": "15000"},
            {"name": "ProxyEgressPort", "value": "15001"}, {"name": "AppPorts", "value": "8080"},
            {"name": "EgressIgnoredIPs", "value": "169.254.170.2,169.254.169.254"}]}
        steps = [("paste.txt", "gRPC config stream closed: 13\n", "grpc-codes.internal", r"kubectl logs|aws logs"),
                 ("envoy.log", log("13, "), "ems-connection.not-connected", DEFINITION_ASK),
                 ("task-definition.json", json.dumps(captured), "traffic-capture.uid-mismatch", ".")]
        for name, content, finding, ask in steps:
            self.file("evidence/" + name, content)
            target, what = self.check()
            self.assertEqual(target["findings"][0]["id"], finding, what)
            self.assertRegex(" | ".join(each["how"] for each in target["asks"][:3]), ask, what)
        self.assertEqual(target["findings"][0]["confidence"], "certain")


if __name__ == "__main__":
    main()
