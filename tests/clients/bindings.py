"""SCRAM bound to its TLS connection (-PLUS) on all three protocols, by implementations that are not ours: libgsasl for tls-exporter
(RFC 9266), with the value that OpenSSL exports, and scramp for tls-server-end-point (RFC 5929), with the value that it makes of the
certificate. libgsasl knows no tls-server-end-point, scramp no tls-exporter. Only the lines of the protocols are our own.

usage: bindings.py PROTOCOL PORT TLS USER PASSWORD     PROTOCOL: imap, smtp or pop3; TLS: implicit or starttls
"""

import base64
import ctypes
import socket
import ssl
import sys

from OpenSSL import SSL
from scramp import ScramClient

PROTOCOL, PORT, TLS, USER, PASSWORD = sys.argv[1], int(sys.argv[2]), sys.argv[3], *sys.argv[4:6]
HOST = "127.0.0.1"

# What greets, what asks for TLS (and what follows it), what begins a login, what begins a challenge, a yes and a no.
GREETING, STARTTLS, AUTH, CHALLENGE, YES, NO = {
    "imap": ("* OK", ["a STARTTLS", "a OK"], "b AUTHENTICATE", "+ ", "b OK", "b NO"),
    "smtp": ("220 ", ["STARTTLS", "220 "], "AUTH", "334 ", "235 ", "535 "),
    "pop3": ("+OK", ["STLS", "+OK"], "AUTH", "+ ", "+OK", "-ERR"),
}[PROTOCOL]


class Connection:
    """Lines over TLS; `exporting` has it by pyOpenSSL, since Python's own module exports no keys."""

    def __init__(self, exporting, version):
        self.stream, self.kept = socket.create_connection((HOST, PORT)), b""
        if TLS == "starttls":
            self.begin()
            self.say(*STARTTLS)
        if exporting:
            context = SSL.Context(SSL.TLS_CLIENT_METHOD)
            context.set_min_proto_version(version)
            context.set_max_proto_version(version)
            self.stream = SSL.Connection(context, self.stream)
            self.stream.set_connect_state()
            self.stream.do_handshake()
        else:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.minimum_version = context.maximum_version = version
            self.stream = context.wrap_socket(self.stream)
        if TLS == "implicit":
            self.begin()
        elif PROTOCOL == "smtp":
            self.say("EHLO client.test", "250 ")

    def begin(self):
        self.until(GREETING)
        if PROTOCOL == "smtp":
            self.say("EHLO client.test", "250 ")

    def line(self):
        while b"\r\n" not in self.kept:
            more = self.stream.recv(4096)
            assert more, "the server closed the connection"
            self.kept += more
        line, self.kept = self.kept.split(b"\r\n", 1)
        return line.decode()

    def until(self, *starts):
        while not (line := self.line()).startswith(starts):
            assert line[:1] in "*2+", line
        return line

    def send(self, line):
        self.stream.sendall(line.encode() + b"\r\n")

    def say(self, line, *starts):
        self.send(line)
        return self.until(*starts)


class Gsasl:
    """libgsasl's client. Numbers are those of its gsasl.h."""

    AUTHID, PASSWORD, CB_TLS_EXPORTER = 1, 3, 25
    OK, NEEDS_MORE = 0, 1
    library = ctypes.CDLL("libgsasl.so.18")

    def __init__(self, mechanism, password, binding):
        self.context, self.session = ctypes.c_void_p(), ctypes.c_void_p()
        assert self.library.gsasl_init(ctypes.byref(self.context)) == self.OK
        started = self.library.gsasl_client_start(self.context, mechanism.encode(), ctypes.byref(self.session))
        assert started == self.OK, f"libgsasl knows no {mechanism}"
        for name, value in (
            (self.AUTHID, USER.encode()),
            (self.PASSWORD, password.encode()),
            (self.CB_TLS_EXPORTER, base64.b64encode(binding)),
        ):
            self.library.gsasl_property_set(self.session, name, ctypes.c_char_p(value))

    def respond(self, challenge):
        """In and out in base64. That the server knows the password, too, is checked by the library in the last step."""
        out = ctypes.c_char_p()
        done = self.library.gsasl_step64(self.session, ctypes.c_char_p(challenge.encode()), ctypes.byref(out))
        assert done in (self.OK, self.NEEDS_MORE), f"libgsasl: {done}"
        return out.value.decode()


class Scramp:
    def __init__(self, mechanism, password, binding):
        self.client = ScramClient([mechanism], USER, password, channel_binding=("tls-server-end-point", binding))
        self.steps = iter((self.first, self.final, self.end))

    def respond(self, challenge):
        text = base64.b64decode(challenge).decode()
        return base64.b64encode(next(self.steps)(text).encode()).decode()

    def first(self, _text):
        return self.client.get_client_first()

    def final(self, text):
        self.client.set_server_first(text)
        return self.client.get_client_final()

    def end(self, text):
        self.client.set_server_final(text)
        return ""


def exported(connection):
    # RFC 9266 §2
    return connection.stream.export_keying_material(b"EXPORTER-Channel-Binding", 32, b"")


def log_in(mechanism, exporting, password, version=ssl.TLSVersion.TLSv1_3, of_another=False):
    """Whether it gets in. `of_another`: bound to a connection that is not this one, as by who sits in between."""
    connection = Connection(exporting, version)
    bound = Connection(exporting, version) if of_another else connection
    if exporting:
        client = Gsasl(mechanism, password, exported(bound))
    else:
        # The certificate would be the same on every connection.
        client = Scramp(mechanism, password, b"\0" * 32 if of_another else connection.stream)
    line = connection.say(f"{AUTH} {mechanism}", CHALLENGE, YES, NO)
    while line.startswith(CHALLENGE):
        line = connection.say(client.respond(line.removeprefix(CHALLENGE)), CHALLENGE, YES, NO)
    return line.startswith(YES)


for mechanism in ("SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS"):
    for exporting in (True, False):
        what = (PROTOCOL, TLS, mechanism, "tls-exporter" if exporting else "tls-server-end-point")
        assert log_in(mechanism, exporting, PASSWORD), what
        # RFC 9266 §4.2: under TLS 1.2 keys that are exported may be another connection's as well, so they bind nothing.
        assert log_in(mechanism, exporting, PASSWORD, ssl.TLSVersion.TLSv1_2) != exporting, (*what, "TLS 1.2")
        assert not log_in(mechanism, exporting, "wrong"), (*what, "a wrong password was taken")
        assert not log_in(mechanism, exporting, PASSWORD, of_another=True), (*what, "another's binding was taken")
print("ok")
