"""What stands before the simulated org in tests of TLS and proxies: certificates of any kind, a server that
ends TLS and hands requests on, and a proxy that asks who comes.

A Front counts what it was sent inside TLS, so that a test can say that not a byte of a request came.
"""
import base64
import contextlib
import os
import re
import socket
import ssl
import subprocess
import threading
import time

import canary

HOSTS = "DNS:localhost,DNS:*.my.salesforce.com,IP:127.0.0.1"
CONFIG = """
[ca]
default_ca = this
[this]
database = {folder}/index
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
email_in_dn = no
[any]
commonName = supplied
[extensions]
basicConstraints = critical,CA:{ca}
{more}
"""
DAY = 24 * 3600


def openssl(*arguments, data=None):
    run = subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=False)
    assert run.returncode == 0, (arguments, run.stderr.decode())
    return run.stdout


class Issuer:
    """A certificate authority in a folder; `by` is the one above it, else it has signed itself."""

    def __init__(self, folder, name, by=None):
        self.folder = os.path.join(folder, name)
        os.mkdir(self.folder, 0o700)
        open(os.path.join(self.folder, "index"), "w").close()
        self.key, self.path = (os.path.join(self.folder, "own." + kind) for kind in ("key", "pem"))
        new_key(self.key)
        (by or self)._sign(self.key, name, self.path, "keyUsage=critical,keyCertSign", ca=True, own=by is None)

    def _sign(self, key, name, path, more, ca=False, own=False, begin=-DAY, end=60 * DAY):
        config, request = path + ".cnf", path + ".csr"
        with open(config, "w") as file:
            file.write(CONFIG.format(folder=self.folder, ca="TRUE" if ca else "FALSE", more=more))
        openssl("req", "-new", "-key", key, "-subj", f"/CN={name}", "-out", request)
        stamp = [time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + at)) for at in (begin, end)]
        signer = ["-selfsign", "-keyfile", key] if own else ["-cert", self.path, "-keyfile", self.key]
        openssl("ca", "-batch", "-notext", "-config", config, "-extensions", "extensions", "-in", request, "-out", path,
                "-startdate", stamp[0], "-enddate", stamp[1], *signer)

    def issue(self, name, hosts=HOSTS, use="serverAuth", own=False, **times):
        """Files of a certificate and its key."""
        path, key = (os.path.join(self.folder, f"{name}.{kind}") for kind in ("pem", "key"))
        new_key(key)
        self._sign(key, name, path, f"extendedKeyUsage={use}\nsubjectAltName={hosts}", own=own, **times)
        return path, key


def new_key(path):
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path)
    canary.of_key(path)


def joined(folder, *paths):
    """One file with several certificates."""
    path = os.path.join(folder, "-".join(os.path.basename(path) for path in paths))
    with open(path, "wb") as out:
        for one in paths:
            with open(one, "rb") as file:
                out.write(file.read())
    return path


def pin(certificate):
    public = openssl("x509", "-in", certificate, "-noout", "-pubkey")
    der = openssl("pkey", "-pubin", "-outform", "DER", data=public)
    return "sha256//" + base64.b64encode(openssl("dgst", "-sha256", "-binary", data=der)).decode()


def read_head(read):
    head = b""
    while b"\r\n\r\n" not in head:
        part = read(4096)
        if not part:
            return None, b""
        head += part
    head, rest = head.split(b"\r\n\r\n", 1)
    return head, rest


class Listener:
    """Accepts on 127.0.0.1, a thread for each connection, until close()."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port, self.open = self.socket.getsockname()[1], True
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while self.open:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve_quietly, args=(connection,), daemon=True).start()

    def _serve_quietly(self, connection):
        try:
            with connection:
                self.serve(connection)
        except (OSError, ValueError):  # the other side goes when it likes
            pass

    def serve(self, connection):
        raise NotImplementedError

    def close(self):
        self.open = False
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Front(Listener):
    """TLS before the simulated org at `org`, which is told to be at `origin` (itself, if none is named)."""

    def __init__(self, org, certificate, key, origin=None, clients=None, newest=None):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        if newest:
            self.context.set_ciphers("DEFAULT:@SECLEVEL=0")
            self.context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
            self.context.maximum_version = newest
        if clients:
            self.context.load_verify_locations(clients)
            self.context.verify_mode = ssl.CERT_REQUIRED
        self.org, self.bytes, self.requests, self.refused = org, 0, [], []
        super().__init__()
        self.url = f"https://127.0.0.1:{self.port}"
        self.origin = origin or self.url

    def serve(self, connection):
        secured = self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with secured:
            try:
                secured.do_handshake()
            except (OSError, ssl.SSLError) as error:
                self.refused.append(str(error))
                secured.shutdown(socket.SHUT_WR)
                while secured.recv(65536):  # not TLS any more; a close now would overtake the alert
                    pass
                return
            while self._one(secured):
                pass

    def _read(self, secured):
        def read(size):
            data = secured.recv(size)
            self.bytes += len(data)
            return data
        return read

    def _one(self, secured):
        head, body = read_head(self._read(secured))
        if head is None:
            return False
        length = int((re.search(rb"(?i)\r\ncontent-length: *(\d+)", head) or [0, 0])[1])
        while len(body) < length:
            body += self._read(secured)(65536)
        self.requests.append(head.split(b"\r\n")[0].decode())
        head = re.sub(rb"(?i)\r\n(accept-encoding|connection):[^\r]*", b"", head) + b"\r\nConnection: close\r\n\r\n"
        with socket.create_connection(self.org.split("://")[1].split(":")) as behind:
            behind.sendall(head + body)
            answer = b""
            while part := behind.recv(65536):
                answer += part
        head, _, body = answer.partition(b"\r\n\r\n")
        body = body.replace(self.org.encode(), self.origin.encode())
        head = re.sub(rb"(?i)\r\n(content-length|connection):[^\r]*", b"", head)
        secured.sendall(head + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        return True


class Proxy(Listener):
    """Takes CONNECT, to wherever but those in `gone`, and leads it to `port` of this machine. wants: "user:password", or
    None."""

    def __init__(self, port, wants=None):
        self.to, self.wants, self.heads, self.gone, self.inside = port, wants, [], set(), []
        super().__init__()
        self.url = f"http://127.0.0.1:{self.port}"

    def serve(self, connection):
        head, _ = read_head(connection.recv)
        if head is None:
            return
        self.heads.append(head.decode())
        given = re.search(rb"(?i)\r\nproxy-authorization: basic ([^\r]*)", head)
        if self.wants and (not given or base64.b64decode(given[1]).decode() != self.wants):
            connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                               b"Proxy-Authenticate: Basic realm=\"acme\"\r\nContent-Length: 0\r\n\r\n")
            return
        if head.split()[1].decode().rsplit(":", 1)[0] in self.gone:
            connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self.inside.append(connection)
        with socket.create_connection(("127.0.0.1", self.to)) as behind:
            back = threading.Thread(target=pump, args=(behind, connection), daemon=True)
            back.start()
            pump(connection, behind)
            back.join()


    def lose(self, host):
        """Nobody comes there any more, nor is there still."""
        self.gone.add(host)
        for connection in self.inside:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def pump(source, target):
    try:
        while part := source.recv(65536):
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass
