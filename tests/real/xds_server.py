#!/usr/bin/env python3
"""A real xDS management server whose bad days can be chosen.

Runs in the virtual environment that `fetch` makes (grpcio, xds-protos). It speaks ADS, state of the world and
delta. What it serves stands in one JSON file: {"CDS": [resource, ...], "EDS": [...], ...}. A kind that the file
names is answered, with an empty list too; a kind that it leaves out is **never answered**: so `{}` is a server
that accepts streams and keeps silent, and `{"CDS": []}` one that answers CDS and never LDS.

    xds_server.py --listen 127.0.0.1:18000 --resources full.json
    xds_server.py --listen ... --close-code 7 --close-text "no"      close each stream on its first request
    xds_server.py --listen ... --resources full.json --recycle 4 2   serve, but end the first two streams (code 0)
                                                                     after 4 s each
    xds_server.py --listen ... --resources one.json --then 3 two.json   send what the second file holds, as version 2,
                                                                     3 s after a stream began

A resource with the member "unknown_field": N gets a field of that number, which no Envoy knows.

Prints `listening` on standard output once it accepts connections, and a line per event on standard error.
"""
import argparse
import importlib
import json
import queue
import sys
import threading
import time
from concurrent import futures

import grpc
from envoy.service.discovery.v3 import discovery_pb2
from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, json_format

TYPES = {
    "CDS": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
    "EDS": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
    "LDS": "type.googleapis.com/envoy.config.listener.v3.Listener",
    "RDS": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
    "SDS": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
}

# Kinds that are asked for by name; of the others a subscriber wants all there are.
BY_NAME = ("EDS", "RDS", "SDS")

# Importing a module registers its messages: without that an Any cannot be read from JSON.
MESSAGES = (
    "envoy.config.cluster.v3.cluster_pb2",
    "envoy.config.endpoint.v3.endpoint_pb2",
    "envoy.config.listener.v3.listener_pb2",
    "envoy.config.route.v3.route_pb2",
    "envoy.extensions.access_loggers.file.v3.file_pb2",
    "envoy.extensions.filters.http.router.v3.router_pb2",
    "envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2",
    "envoy.extensions.transport_sockets.tls.v3.tls_pb2",
    "envoy.extensions.transport_sockets.tls.v3.secret_pb2",
)

# A message that no Envoy knows, to make listeners of which an extension is missing.
UNKNOWN = descriptor_pb2.FileDescriptorProto(
    name="example/unknown.proto", package="example", message_type=[descriptor_pb2.DescriptorProto(name="Unknown")])

SERVICE = "/envoy.service.discovery.v3.AggregatedDiscoveryService/"
MAX_STREAMS = 16


def say(text):
    """Tell the driver's log what happened, in one write: threads share the stream."""
    sys.stderr.write("%.3f %s\n" % (time.time(), text))
    sys.stderr.flush()


def _tag(number):
    """The wire form of a varint field's number."""
    left, wire = number << 3, b""
    while left > 0x7f:
        wire, left = wire + bytes([left & 0x7f | 0x80]), left >> 7
    return wire + bytes([left])


class Snapshot:
    """The resources of one file, packed once, by type URL."""

    def __init__(self, path, version="1"):
        self.version = version
        self.by_type = {}
        self.named = {TYPES[kind] for kind in BY_NAME}
        if not path:
            return
        for module in MESSAGES:
            importlib.import_module(module)
        if version == "1":
            descriptor_pool.Default().Add(UNKNOWN)
        with open(path, encoding="utf-8") as source:
            for kind, resources in json.load(source).items():
                self.by_type[TYPES[kind]] = [self._pack(TYPES[kind], each) for each in resources]

    @staticmethod
    def _pack(type_url, fields):
        packed = any_pb2.Any()
        known = {key: value for key, value in fields.items() if key != "unknown_field"}
        json_format.ParseDict(dict(known, **{"@type": type_url}), packed)
        if "unknown_field" in fields:
            packed.value += _tag(fields["unknown_field"]) + b"\x01"
        return fields.get("name") or fields.get("cluster_name"), packed

    def answers(self, type_url):
        """Whether this server has an answer, be it empty, for that type."""
        return type_url in self.by_type

    def select(self, type_url, names):
        """The (name, Any) pairs that a subscriber to those names gets."""
        everything = self.by_type[type_url]
        if type_url not in self.named:
            return everything
        return [each for each in everything if each[0] in names]


class StateOfTheWorld:
    """The answers to one state-of-the-world stream."""

    request_type = discovery_pb2.DiscoveryRequest

    def __init__(self, snapshot):
        self.snapshot = snapshot
        self.sent_names = {}
        self.count = 0

    def answer(self, request):
        """The response to one request, or None: an acknowledgement, a refusal or a kind we never answer."""
        kind = request.type_url
        if request.HasField("error_detail"):
            say("refused %s: %s" % (kind, request.error_detail.message))
            return None
        names = set(request.resource_names)
        if not self.snapshot.answers(kind) or self.sent_names.get(kind) == names:
            return None
        self.sent_names[kind] = names
        return self._response(kind)

    def renew(self, snapshot):
        """The responses that tell what was answered so far anew, from another snapshot."""
        self.snapshot = snapshot
        return [self._response(kind) for kind in self.sent_names if snapshot.answers(kind)]

    def _response(self, kind):
        self.count += 1
        return discovery_pb2.DiscoveryResponse(
            version_info=self.snapshot.version, type_url=kind, nonce=str(self.count),
            resources=[packed for _, packed in self.snapshot.select(kind, self.sent_names[kind])])


class Delta:
    """The answers to one delta stream."""

    request_type = discovery_pb2.DeltaDiscoveryRequest

    def __init__(self, snapshot):
        self.snapshot = snapshot
        self.wanted = {}
        self.count = 0

    def answer(self, request):
        """The response to one request, or None: see StateOfTheWorld.answer."""
        kind = request.type_url
        if request.HasField("error_detail"):
            say("refused %s: %s" % (kind, request.error_detail.message))
            return None
        names = set(request.resource_names_subscribe)
        if not self.snapshot.answers(kind) or (kind in self.wanted and not names):
            return None
        self.wanted.setdefault(kind, set()).update(names)
        return self._response(kind, names)

    def renew(self, snapshot):
        """The responses that tell what was answered so far anew, from another snapshot."""
        self.snapshot = snapshot
        return [self._response(kind, names) for kind, names in self.wanted.items() if snapshot.answers(kind)]

    def _response(self, kind, names):
        self.count += 1
        version = self.snapshot.version
        return discovery_pb2.DeltaDiscoveryResponse(
            system_version_info=version, type_url=kind, nonce=str(self.count),
            resources=[discovery_pb2.Resource(name=name, version=version, resource=packed)
                       for name, packed in self.snapshot.select(kind, names)])


class Server:
    """Holds the chosen behaviour; grpc calls `stream` once per stream, in a thread of its own."""

    def __init__(self, options):
        self.options = options
        self.snapshot = Snapshot(options.resources)
        self.next = Snapshot(options.then[1], "2") if options.then else None
        self.streams = 0

    def handler(self, session_class):
        """The grpc handler of one method."""
        def stream(requests, context):
            return self.stream(session_class(self.snapshot), requests, context)
        return grpc.stream_stream_rpc_method_handler(
            stream, request_deserializer=session_class.request_type.FromString,
            response_serializer=lambda message: message.SerializeToString())

    def stream(self, session, requests, context):
        """Serve one stream until the peer leaves or the chosen behaviour ends it."""
        inbox = queue.Queue()
        threading.Thread(target=self._receive, args=(requests, inbox), daemon=True).start()
        deadline, change = self._deadline(), self._change()
        while True:
            until = change or deadline
            try:
                request = inbox.get(timeout=max(0.0, until - time.monotonic()) if until else None)
            except queue.Empty:
                if not change:
                    say("ended the stream gracefully")
                    return
                change = None
                say("changed what is served")
                yield from session.renew(self.next)
                continue
            if request is None:
                say("the peer left")
                return
            say("asked for %s %s" % (request.type_url, getattr(request, "resource_names", "")))
            if self.options.close_code is not None:
                context.abort(status_code(self.options.close_code), self.options.close_text)
            response = session.answer(request)
            if response is not None:
                say("answered %s with %d resources" % (response.type_url, len(response.resources)))
                yield response

    def _deadline(self):
        """When a stream that begins now is to be ended, if at all."""
        seconds, times = self.options.recycle or (0, 0)
        self.streams += 1
        return time.monotonic() + seconds if self.streams <= times else None

    def _change(self):
        """When a stream that begins now is told the second file's resources, if ever."""
        return time.monotonic() + float(self.options.then[0]) if self.next else None

    @staticmethod
    def _receive(requests, inbox):
        """Move requests to a queue, so that waiting for one can have a time limit; None says that no more come."""
        try:
            for request in requests:
                inbox.put(request)
        except grpc.RpcError:
            pass
        inbox.put(None)


def status_code(number):
    """grpc's status object for a number."""
    return next(code for code in grpc.StatusCode if code.value[0] == number)


def read_bytes(path):
    """A file's bytes."""
    with open(path, "rb") as source:
        return source.read()


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listen", required=True, metavar="HOST:PORT")
    parser.add_argument("--resources", metavar="FILE", help="what to serve; without it nothing is ever answered")
    parser.add_argument("--close-code", type=int, metavar="N", help="close each stream with this code")
    parser.add_argument("--close-text", default="", metavar="TEXT")
    parser.add_argument("--recycle", type=int, nargs=2, metavar=("SECONDS", "TIMES"),
                        help="end streams after so long with code 0, so often; then serve on")
    parser.add_argument("--then", nargs=2, metavar=("SECONDS", "FILE"), help="what to serve so long after a stream began")
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"), help="serve with TLS")
    return parser.parse_args()


def main():
    """Serve until killed."""
    options = arguments()
    logic = Server(options)
    server = grpc.server(futures.ThreadPoolExecutor(MAX_STREAMS), options=[("grpc.so_reuseport", 0)])
    methods = {
        "StreamAggregatedResources": logic.handler(StateOfTheWorld),
        "DeltaAggregatedResources": logic.handler(Delta),
    }
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(SERVICE.strip("/"), methods)])
    if options.tls:
        certificate, key = (read_bytes(path) for path in options.tls)
        server.add_secure_port(options.listen, grpc.ssl_server_credentials([(key, certificate)]))
    else:
        server.add_insecure_port(options.listen)
    server.start()
    print("listening", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
