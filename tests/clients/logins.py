"""Every login that IMAP offers, each done by hand: what is right gets in, what is wrong does not.
# tests: AUTH=PLAIN AUTH=LOGIN AUTH=CRAM-MD5 AUTH=DIGEST-MD5 AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256
# tests: AUTH=SCRAM-SHA-1-PLUS AUTH=SCRAM-SHA-256-PLUS SASL-IR

usage: logins.py IMAPS USER PASSWORD
"""

import base64
import hashlib
import hmac
import imaplib
import re
import ssl
import sys

PORT, USER, PASSWORD = int(sys.argv[1]), sys.argv[2], sys.argv[3]
HOST = "127.0.0.1"

context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE


def scram(name, client, password):
    """RFC 5802; with -PLUS bound to the certificate (RFC 5929)."""
    plus = name.endswith("-PLUS")
    kind = name.removeprefix("SCRAM-").removesuffix("-PLUS").replace("-", "").lower()
    digest = lambda text: hashlib.new(kind, text).digest()
    mac = lambda key, text: hmac.new(key, text, kind).digest()
    header, binding = b"n,,", b""
    if plus:
        header = b"p=tls-server-end-point,,"
        binding = hashlib.sha256(client.sock.getpeercert(binary_form=True)).digest()
    first = f"n={USER.replace('=', '=3D').replace(',', '=2C')},r=a-nonce".encode()
    proved = None

    def answer(challenge):
        nonlocal proved
        if not challenge:
            return header + first
        if challenge.startswith(b"v="):
            assert challenge[2:] == base64.b64encode(proved), "the server does not know the password"
            return b""
        fields = dict(field.split(b"=", 1) for field in challenge.split(b","))
        salted = hashlib.pbkdf2_hmac(kind, password.encode(), base64.b64decode(fields[b"s"]), int(fields[b"i"]))
        last = b"c=" + base64.b64encode(header + binding) + b",r=" + fields[b"r"]
        text = first + b"," + challenge + b"," + last
        key = mac(salted, b"Client Key")
        proof = bytes(a ^ b for a, b in zip(key, mac(digest(key), text)))
        proved = mac(mac(salted, b"Server Key"), text)
        return last + b",p=" + base64.b64encode(proof)

    return answer


def digest_md5(_name, _client, password):
    """RFC 2831"""
    md5 = lambda text: hashlib.md5(text).digest()
    done = False

    def answer(challenge):
        nonlocal done
        if done:
            assert challenge.startswith(b"rspauth="), challenge
            return b""
        done = True
        field = lambda name: re.search(name + r'="([^"]*)"', challenge.decode()).group(1)
        realm, nonce = field("realm"), field("nonce")
        tail = f":{nonce}:00000001:cn:auth:"
        first = md5(f"{USER}:{realm}:{password}".encode()) + f":{nonce}:cn".encode()
        second = b"AUTHENTICATE:imap/localhost"
        hexed = lambda text: hashlib.md5(text).hexdigest()
        response = hexed((hexed(first) + tail + hexed(second)).encode())
        return (
            f'username="{USER}",realm="{realm}",nonce="{nonce}",nc=00000001,cnonce="cn",qop=auth,'
            f'digest-uri="imap/localhost",response={response},charset=utf-8'
        ).encode()

    return answer


def cram_md5(_name, _client, password):
    return lambda challenge: f"{USER} {hmac.new(password.encode(), challenge, 'md5').hexdigest()}".encode()


def login(_name, _client, password):
    answers = iter([USER.encode(), password.encode()])
    return lambda _challenge: next(answers)


def plain(_name, _client, password):
    return lambda _challenge: f"\0{USER}\0{password}".encode()


MECHANISMS = {
    "PLAIN": plain,
    "LOGIN": login,
    "CRAM-MD5": cram_md5,
    "DIGEST-MD5": digest_md5,
    "SCRAM-SHA-1": scram,
    "SCRAM-SHA-256": scram,
    "SCRAM-SHA-1-PLUS": scram,
    "SCRAM-SHA-256-PLUS": scram,
}


def main():
    for name, mechanism in MECHANISMS.items():
        client = imaplib.IMAP4_SSL(HOST, PORT, ssl_context=context)
        assert f"AUTH={name}" in client.capabilities, (name, client.capabilities)
        try:
            client.authenticate(name, mechanism(name, client, "wrong"))
        except imaplib.IMAP4.error:
            pass
        else:
            raise AssertionError(f"{name}: a wrong password was taken")
        try:
            client.authenticate(name, mechanism(name, client, PASSWORD))
        except imaplib.IMAP4.error as error:
            raise AssertionError(f"{name}: {error}") from error
        client.select()
        client.logout()
    # RFC 4959: the first response with the command.
    client = imaplib.IMAP4_SSL(HOST, PORT, ssl_context=context)
    initial = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()
    assert client._simple_command("AUTHENTICATE", "PLAIN", initial)[0] == "OK"
    client.shutdown()
    print("ok")


main()
