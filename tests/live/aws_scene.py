"""An AWS account to ask about: moto's server, filled with one service of ECS, behind a thin overlay.

Run by the interpreter of the emulator's environment. Prints one line of JSON (endpoint, names), serves until its
standard input closes. What moto never produces the overlay does, and nothing else: tasks that stopped and why, the
health of targets, that there is no such service, a virtual service, and a refusal of the operations that argv names, worded as AWS words it.
"""
import http.client
import http.server
import json
import re
import socketserver
import sys
import threading
import time
import urllib.parse

import boto3
from moto.server import ThreadedMotoServer

REGION, ACCOUNT = "us-west-2", "123456789012"
READER = "arn:aws:sts::%s:assumed-role/reader/me" % ACCOUNT
KEYS = {"region_name": REGION, "aws_access_key_id": "test", "aws_secret_access_key": "test"}
IMAGE = "%s.dkr.ecr.%s.amazonaws.com/mesh/envoy:v1.34.13.3-prod" % (ACCOUNT, REGION)
PULL_REASON = (
    "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref %s: pulling from "
    "host %s.dkr.ecr.%s.amazonaws.com failed with status code [manifests v1.34.13.3-prod]: 403 Forbidden"
    % (IMAGE, ACCOUNT, REGION))
STOPPED_REASON = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable "
    "to retrieve ecr registry auth: service call has been retried 1 time(s): AccessDeniedException: User: "
    "arn:aws:sts::%s:assumed-role/orders-execution/0123 is not authorized to perform: ecr:GetAuthorizationToken on "
    "resource: * because no identity-based policy allows the ecr:GetAuthorizationToken action" % ACCOUNT)
NO_SERVICE = json.dumps({"__type": "ServiceNotFoundException", "message": "Service not found."})
VIRTUAL_SERVICE = json.dumps({"meshName": "shop", "virtualServiceName": "stock", "status": {"status": "ACTIVE"}, "spec": {
    "provider": {"virtualRouter": {"virtualRouterName": "stock"}}}})
LINE = "[2026-11-21 07:59:00.000][1][info][main] [source/server/server.cc:1] initializing epoch 0"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
HEALTH = """<DescribeTargetHealthResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/">
<DescribeTargetHealthResult><TargetHealthDescriptions><member><Target><Id>10.0.1.7</Id><Port>15000</Port></Target>
<HealthCheckPort>15000</HealthCheckPort><TargetHealth><State>unhealthy</State><Reason>Target.ResponseCodeMismatch</Reason>
<Description>Health checks failed with these codes: [404]</Description></TargetHealth></member></TargetHealthDescriptions>
</DescribeTargetHealthResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></DescribeTargetHealthResponse>"""


def policy(*actions):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": list(actions), "Resource": "*"}]})


class Account:
    def __init__(self, endpoint):
        self.clients, self.endpoint = {}, endpoint

    def __getattr__(self, service):
        if service not in self.clients:
            self.clients[service] = boto3.client(service, endpoint_url=self.endpoint, **KEYS)
        return self.clients[service]

    def fill(self):
        self.network()
        self.roles()
        self.mesh()
        self.ecr.create_repository(repositoryName="mesh/envoy")
        self.ecr.set_repository_policy(repositoryName="mesh/envoy", policyText=json.dumps({
            "Version": "2008-10-17", "Statement": [{"Sid": "pull", "Effect": "Allow", "Principal": {
                "AWS": "arn:aws:iam::%s:root" % ACCOUNT}, "Action": "ecr:BatchGetImage"}]}))
        return self.service()

    def registry(self):
        """Cloud Map; moto makes no name space for a VPC without a hosted zone, so it is one that is asked by HTTP."""
        self.servicediscovery.create_http_namespace(Name="shop.local")
        space = self.servicediscovery.list_namespaces()["Namespaces"][0]["Id"]
        service = self.servicediscovery.create_service(Name="orders", NamespaceId=space)["Service"]
        self.servicediscovery.register_instance(ServiceId=service["Id"], InstanceId="i", Attributes={
            "AWS_INSTANCE_IPV4": "10.0.1.7"})
        return service["Arn"]

    def network(self):
        vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})  # or run_task fails in moto 5.2.5
        self.subnets = [self.ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.%d.0/24" % n,
                                               AvailabilityZone=REGION + zone)["Subnet"]["SubnetId"]
                        for n, zone in ((1, "a"), (2, "b"))]
        self.group = self.ec2.create_security_group(GroupName="orders", Description="d", VpcId=vpc)["GroupId"]
        balancer = self.elbv2.create_load_balancer(Name="orders", Subnets=self.subnets, SecurityGroups=[self.group])
        self.targets = self.elbv2.create_target_group(
            Name="orders", Protocol="HTTP", Port=15000, VpcId=vpc, TargetType="ip",
            HealthCheckPath="/ping")["TargetGroups"][0]["TargetGroupArn"]
        self.elbv2.create_listener(
            LoadBalancerArn=balancer["LoadBalancers"][0]["LoadBalancerArn"], Protocol="HTTP", Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": self.targets}])

    def roles(self):
        shared = self.iam.create_policy(PolicyName="orders-logs",
                                        PolicyDocument=policy("logs:CreateLogStream", "logs:PutLogEvents"))
        for name in ("orders-execution", "orders-task"):
            self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
        self.iam.attach_role_policy(RoleName="orders-execution", PolicyArn=shared["Policy"]["Arn"])
        self.iam.put_role_policy(RoleName="orders-task", PolicyName="mesh",
                                 PolicyDocument=policy("appmesh:StreamAggregatedResources"))

    def mesh(self):
        self.appmesh.create_mesh(meshName="shop")
        for name, backends in (("orders", ["stock"]), ("stock", [])):
            self.appmesh.create_virtual_node(meshName="shop", virtualNodeName=name, spec={
                "listeners": [{"portMapping": {"port": 8080, "protocol": "http"}}],
                "backends": [{"virtualService": {"virtualServiceName": backend}} for backend in backends],
                "serviceDiscovery": {"dns": {"hostname": name + ".shop.local"}}})
        self.appmesh.create_virtual_router(meshName="shop", virtualRouterName="stock", spec={
            "listeners": [{"portMapping": {"port": 8080, "protocol": "http"}}]})
        self.appmesh.create_route(meshName="shop", virtualRouterName="stock", routeName="all", spec={"httpRoute": {
            "match": {"prefix": "/"}, "action": {"weightedTargets": [{"virtualNode": "stock", "weight": 1}]}}})
        self.appmesh.create_virtual_gateway(meshName="shop", virtualGatewayName="edge", spec={
            "listeners": [{"portMapping": {"port": 8080, "protocol": "http"}}]})
        self.appmesh.create_gateway_route(meshName="shop", virtualGatewayName="edge", gatewayRouteName="all", spec={
            "httpRoute": {"match": {"prefix": "/"}, "action": {"target": {
                "virtualService": {"virtualServiceName": "stock"}}}}})

    def service(self):
        self.logs.create_log_group(logGroupName="/ecs/orders")
        self.ecs.create_cluster(clusterName="prod")
        environment = [
            {"name": "APPMESH_RESOURCE_ARN",
             "value": "arn:aws:appmesh:%s:%s:mesh/shop/virtualNode/orders" % (REGION, ACCOUNT)},
            {"name": "DB_PASSWORD", "value": "hunter2secret"}]
        self.ecs.register_task_definition(
            family="orders", networkMode="awsvpc", requiresCompatibilities=["FARGATE"], cpu="256", memory="512",
            executionRoleArn="arn:aws:iam::%s:role/orders-execution" % ACCOUNT,
            taskRoleArn="arn:aws:iam::%s:role/orders-task" % ACCOUNT,
            containerDefinitions=[{"name": "envoy", "image": IMAGE, "essential": True, "memory": 256, "user": "1337",
                                   "environment": environment, "logConfiguration": {
                                       "logDriver": "awslogs", "options": {
                                           "awslogs-group": "/ecs/orders", "awslogs-region": REGION,
                                           "awslogs-stream-prefix": "ecs"}}}])
        network = {"awsvpcConfiguration": {"subnets": self.subnets[:1], "securityGroups": [self.group]}}
        self.ecs.create_service(cluster="prod", serviceName="orders", taskDefinition="orders", desiredCount=0,
                                launchType="FARGATE", networkConfiguration=network, loadBalancers=[
                                    {"targetGroupArn": self.targets, "containerName": "envoy", "containerPort": 15000}],
                                serviceRegistries=[{"registryArn": self.registry()}])
        task = self.ecs.run_task(cluster="prod", taskDefinition="orders", launchType="FARGATE",
                                 networkConfiguration=network, group="service:orders")["tasks"][0]
        name = task["taskArn"].split("/")[-1]
        self.logs.create_log_stream(logGroupName="/ecs/orders", logStreamName="ecs/envoy/" + name)
        self.logs.put_log_events(logGroupName="/ecs/orders", logStreamName="ecs/envoy/" + name, logEvents=[
            {"timestamp": int(time.time() * 1000), "message": LINE}])
        return {"task": name, "arn": task["taskArn"]}


# ---- the overlay ----

def stop_tasks(body):
    answer = json.loads(body)
    for task in answer["tasks"]:
        task.update(lastStatus="STOPPED", desiredStatus="STOPPED", stopCode="TaskFailedToStart",
                    stoppedReason=STOPPED_REASON, group="service:orders")
        task["containers"] = [{"name": "envoy", "image": IMAGE, "lastStatus": "STOPPED", "reason": PULL_REASON,
                               "taskArn": task["taskArn"]}]
    return json.dumps(answer).encode()


def refusal(service, operation):
    text = ("User: %s is not authorized to perform: %s:%s on resource: * because no identity-based policy allows the "
            "%s:%s action" % (READER, service, operation, service, operation))
    if service == "ec2":
        return "text/xml", ("<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You are not authorized "
                            "to perform this operation. %s</Message></Error></Errors><RequestID>r</RequestID>"
                            "</Response>" % text).encode()
    if service in ("iam", "elasticloadbalancing"):
        return "text/xml", ("<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>%s</Message>"
                            "</Error><RequestId>r</RequestId></ErrorResponse>" % text).encode()
    return "application/x-amz-json-1.1", json.dumps({"__type": "AccessDeniedException", "message": text}).encode()


def operation_of(headers, body):
    service = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", headers.get("Authorization", ""))
    form = urllib.parse.parse_qs(body.decode("latin-1")) if b"Action=" in body else {}
    return (service.group(1) if service else "",
            form.get("Action", [headers.get("X-Amz-Target", "").split(".")[-1]])[0])


def overlay(port, refused):

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            service, operation = operation_of(self.headers, body)
            if operation in refused:
                kind, text = refusal(service, operation)
                return self.write(403 if "xml" in kind else 400, kind, text)
            if operation == "ListTasks" and json.loads(body).get("serviceName", "orders") != "orders":
                return self.write(400, "application/x-amz-json-1.1", NO_SERVICE.encode())
            if self.path.endswith("/virtualServices/stock"):
                return self.write(200, "application/json", VIRTUAL_SERVICE.encode())
            if operation == "DescribeTargetHealth":
                return self.write(200, "text/xml", HEALTH.encode())
            upstream = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            upstream.request(self.command, self.path, body, dict(self.headers))
            reply = upstream.getresponse()
            text = reply.read()
            if operation == "DescribeTasks" and reply.status == 200:
                text = stop_tasks(text)
            self.write(reply.status, reply.headers.get("Content-Type", ""), text)

        do_GET = do_POST = answer

        def write(self, status, kind, text):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
        daemon_threads = True
        request_queue_size = 64

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return "http://127.0.0.1:%d" % server.server_port


def main():
    moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    moto.start()
    port = moto.get_host_and_port()[1]
    names = Account("http://127.0.0.1:%d" % port).fill()
    print(json.dumps({**names, "endpoint": overlay(port, set(sys.argv[1:]))}), flush=True)
    sys.stdin.read()


main()
