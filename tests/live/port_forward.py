"""Plays `kubectl port-forward pod/NAME :PORT`: the pod's loopback is this machine's. Prints what kubectl prints."""
import socket
import sys
import threading


def pump(source, sink):
    try:
        while True:
            data = source.recv(65536)
            if not data:
                break
            sink.sendall(data)
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def main():
    remote = int(sys.argv[3].lstrip(":"))
    listener = socket.create_server(("127.0.0.1", 0))
    print("Forwarding from 127.0.0.1:%d -> %d" % (listener.getsockname()[1], remote), flush=True)
    while True:
        client, _ = listener.accept()
        try:
            server = socket.create_connection(("127.0.0.1", remote), 5)
        except OSError:
            print("E1121 08:00:00.000000 portforward.go:424] an error occurred forwarding: connection refused",
                  file=sys.stderr, flush=True)
            client.close()
            continue
        for pair in ((client, server), (server, client)):
            threading.Thread(target=pump, args=pair, daemon=True).start()


main()
