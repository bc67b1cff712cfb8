"""What a mail program does with an address and a password and nothing else: asks the web servers of the domain as Thunderbird and Outlook
do, and logs in where the answers say, under the name that they say.

usage: autoconfig.py HTTP HTTPS CERTIFICATE ADDRESS PASSWORD     CERTIFICATE: of the server, which it is to show under its name
"""

import http.client
import imaplib
import poplib
import smtplib
import socket
import ssl
import sys
import xml.etree.ElementTree as ElementTree

HTTP, HTTPS, CERTIFICATE, ADDRESS, PASSWORD = int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:6]
LOCAL, DOMAIN = ADDRESS.split("@")
# What stands for the DNS: every name leads here.
HERE = "127.0.0.1"
POX = "http://schemas.microsoft.com/exchange/autodiscover/outlook/"


def ask(scheme, host, path, body=None):
    """The status and the text; `host` is who is asked, in the request and in the handshake."""
    connection = http.client.HTTPConnection(host)
    stream = socket.create_connection((HERE, HTTPS if scheme == "https" else HTTP))
    if scheme == "https":
        # Its certificate for the names of the web is another matter.
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        stream = context.wrap_socket(stream, server_hostname=host)
    connection.sock = stream
    headers = {"Content-Type": "text/xml; charset=utf-8"} if body else {}
    connection.request("POST" if body else "GET", path, body, headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    assert answer.status != 200 or answer.getheader("Content-Type").startswith("text/xml"), path
    return answer.status, text


def of_thunderbird(text):
    """Its format: servers as (protocol, host, port, encryption, login)."""
    (provider,) = ElementTree.fromstring(text).findall("emailProvider")
    assert DOMAIN in [domain.text for domain in provider.findall("domain")]
    assert provider.findtext("displayName") and provider.findtext("displayShortName")
    found = []
    for server in provider.findall("incomingServer") + provider.findall("outgoingServer"):
        assert server.findtext("authentication") == "password-cleartext"
        login = server.findtext("username").replace("%EMAILADDRESS%", ADDRESS).replace("%EMAILLOCALPART%", LOCAL)
        encryption = {"SSL": "tls", "STARTTLS": "starttls"}[server.findtext("socketType")]
        found.append((server.get("type"), server.findtext("hostname"), int(server.findtext("port")), encryption, login))
    return found


def of_outlook(text):
    names = {"a": POX + "responseschema/2006a"}
    account = ElementTree.fromstring(text).find("a:Response/a:Account", names)
    assert account.findtext("a:AccountType", None, names) == "email"
    assert account.findtext("a:Action", None, names) == "settings"
    found = []
    for server in account.findall("a:Protocol", names):
        said = lambda name: server.findtext("a:" + name, None, names)
        assert (said("SSL"), said("SPA"), said("AuthRequired")) == ("on", "off", "on")
        encryption = {"SSL": "tls", "TLS": "starttls"}[said("Encryption")]
        found.append((said("Type").lower(), said("Server"), int(said("Port")), encryption, said("LoginName")))
    return found


def log_in(kind, host, port, encryption, login, password):
    """Whether it gets in, over TLS with the certificate of the host that was named."""
    context = ssl.create_default_context(cafile=CERTIFICATE)
    connect = socket.create_connection
    # Every name leads here, for these modules too.
    socket.create_connection = lambda address, *rest, **more: connect((HERE, address[1]), *rest, **more)
    try:
        if kind == "imap":
            client = imaplib.IMAP4_SSL(host, port, ssl_context=context) if encryption == "tls" else imaplib.IMAP4(host, port)
            if encryption == "starttls":
                client.starttls(context)
            client.login(login, password)
            client.logout()
        elif kind == "pop3":
            client = poplib.POP3_SSL(host, port, context=context) if encryption == "tls" else poplib.POP3(host, port)
            if encryption == "starttls":
                client.stls(context)
            client.user(login)
            client.pass_(password)
            client.quit()
        else:
            client = smtplib.SMTP_SSL(host, port, context=context) if encryption == "tls" else smtplib.SMTP(host, port)
            if encryption == "starttls":
                client.starttls(context=context)
            client.login(login, password)
            client.quit()
    except (imaplib.IMAP4.error, poplib.error_proto, smtplib.SMTPAuthenticationError):
        return False
    finally:
        socket.create_connection = connect
    return True


def main():
    address = ADDRESS.replace("@", "%40")
    answers = []
    for scheme in ("https", "http"):
        for host, path in (
            (f"autoconfig.{DOMAIN}", f"/mail/config-v1.1.xml?emailaddress={address}"),
            (DOMAIN, f"/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress={address}"),
            # Without an address for privacy's sake, the name alone says whose mail it is about.
            (f"autoconfig.{DOMAIN}", "/mail/config-v1.1.xml"),
        ):
            status, text = ask(scheme, host, path)
            assert status == 200, (scheme, host, path, status)
            answers.append(of_thunderbird(text))
        assert ask(scheme, "autoconfig.else.test", "/mail/config-v1.1.xml?emailaddress=a%40else.test")[0] == 404
    request = (
        f'<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="{POX}requestschema/2006"><Request>'
        f"<EMailAddress>{ADDRESS}</EMailAddress>"
        f"<AcceptableResponseSchema>{POX}responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>"
    )
    for host, path in (
        (f"autodiscover.{DOMAIN}", "/autodiscover/autodiscover.xml"),
        (DOMAIN, "/Autodiscover/Autodiscover.xml"),
    ):
        status, text = ask("https", host, path, request)
        assert status == 200, (host, path, status)
        answers.append(of_outlook(text))
        assert ask("https", host, path, request.replace(DOMAIN, "else.test"))[0] == 404
    # All the same, in the same order: the best first.
    assert all(answer == answers[0] for answer in answers), answers
    assert {server[0] for server in answers[0]} == {"imap", "pop3", "smtp"}, answers[0]
    for server in answers[0]:
        assert log_in(*server, PASSWORD), server
        assert not log_in(*server, "wrong"), server
    # Nobody learns here who has a mailbox.
    path = f"/mail/config-v1.1.xml?emailaddress=nobody%40{DOMAIN}"
    assert of_thunderbird(ask("https", DOMAIN, path)[1]) == answers[0]
    print(f"ok {len(answers[0])}")


main()
