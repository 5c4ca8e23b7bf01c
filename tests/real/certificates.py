"""Certificates for the xDS server, made by the openssl program at run time: good ones and every kind of bad one.

`openssl ca` is used because it alone sets both dates in the OpenSSL of Debian 12.
"""
import os
import subprocess
import time

DAY = 86400

CA_CONFIG = """
[ca]
default_ca = here
[here]
dir = {folder}
new_certs_dir = {folder}
database = {folder}/index.txt
serial = {folder}/serial
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
"""


def openssl(*args):
    """Run openssl; its chatter is shown only when it fails."""
    done = subprocess.run(("openssl",) + args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=30, check=False)
    if done.returncode:
        raise RuntimeError("openssl %s: %s" % (args[0], done.stdout.decode(errors="replace")))


def show(*address, name):
    """What an engineer saves of a server's certificate: openssl s_client as printed, its verdicts included."""
    peer = "%s:%d" % address
    command = ("openssl", "s_client", "-connect", peer, "-servername", name, "-showcerts")
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=30, check=False)
    return "$ %s\n%s" % (" ".join(command), done.stdout.decode(errors="replace"))


def self_signed(folder, name):
    """A server certificate that nobody else signed: (cert, key)."""
    os.makedirs(folder)
    certificate, key = (os.path.join(folder, "server." + end) for end in ("pem", "key"))
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
            "-subj", "/CN=%s" % name, "-addext", "subjectAltName=DNS:%s" % name, "-addext",
            "basicConstraints=critical,CA:FALSE", "-keyout", key, "-out", certificate)
    return certificate, key


def _date(offset):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + offset))


class Authority:
    """A certificate authority in a folder of its own."""

    def __init__(self, folder, name):
        os.makedirs(folder)
        self.folder = folder
        self.certificate = self._path("ca.pem")
        self.key = self._path("ca.key")
        self._write("ca.cnf", CA_CONFIG.format(folder=folder))
        self._write("index.txt", "")
        self._write("serial", "1000\n")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                "-subj", "/CN=%s" % name, "-keyout", self.key, "-out", self.certificate)

    def _path(self, name):
        return os.path.join(self.folder, name)

    def _write(self, name, text):
        with open(self._path(name), "w", encoding="ascii") as target:
            target.write(text)

    def bundle(self, certificate):
        """The certificate and this authority's own, as servers show a whole chain."""
        path = self._path("chain.pem")
        with open(path, "w", encoding="ascii") as target:
            for part in (certificate, self.certificate):
                with open(part, encoding="ascii") as source:
                    target.write(source.read())
        return path

    def issue(self, name, begins=-DAY, ends=30 * DAY):
        """A server certificate for a DNS name, valid between two times given in seconds from now: (cert, key)."""
        certificate, key, request = (self._path("server." + end) for end in ("pem", "key", "csr"))
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=%s" % name,
                "-addext", "subjectAltName=DNS:%s" % name, "-keyout", key, "-out", request)
        openssl("ca", "-batch", "-notext", "-config", self._path("ca.cnf"), "-cert", self.certificate,
                "-keyfile", self.key, "-startdate", _date(begins), "-enddate", _date(ends),
                "-in", request, "-out", certificate)
        return certificate, key
