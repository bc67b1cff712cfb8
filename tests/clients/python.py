"""Python's own mail modules against a server: smtplib, imaplib, poplib, over TLS and without.

usage: python.py SMTP SUBMISSION IMAP IMAPS POP3 POP3S USER PASSWORD
"""

import imaplib
import poplib
import smtplib
import ssl
import sys
import time
from email.message import EmailMessage

SMTP, SUBMISSION, IMAP, IMAPS, POP3, POP3S = map(int, sys.argv[1:7])
USER, PASSWORD = sys.argv[7:9]
HOST = "127.0.0.1"

context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE


def message(subject):
    text = EmailMessage()
    text["From"], text["To"], text["Subject"] = USER, USER, subject
    text.set_content("Привет\n.a line with a dot\n")
    text.add_attachment(bytes(range(256)) * 400, maintype="application", subtype="octet-stream", filename="имя.bin")
    return text


def send():
    with smtplib.SMTP(HOST, SMTP) as smtp:
        smtp.send_message(message("by SMTP"))
    with smtplib.SMTP(HOST, SUBMISSION) as smtp:
        smtp.starttls(context=context)
        smtp.login(USER, PASSWORD)
        smtp.send_message(message("by submission"))
    for mechanism in ("auth_plain", "auth_login", "auth_cram_md5"):
        with smtplib.SMTP(HOST, SUBMISSION) as smtp:
            smtp.ehlo()
            smtp.user, smtp.password = USER, PASSWORD
            name = mechanism[5:].upper().replace("_", "-")
            code, _ = smtp.auth(name, getattr(smtp, mechanism))
            assert code == 235, (mechanism, code)


def read_by_imap():
    imap = imaplib.IMAP4(HOST, IMAP)
    imap.starttls(context)
    imap.login(USER, PASSWORD)
    while int(imap.select("INBOX")[1][0]) < 2:
        imap.noop()
    found = imap.search(None, "SUBJECT", '"by SMTP"')[1][0].split()
    assert len(found) == 1, found
    raw = imap.fetch(found[0], "(RFC822)")[1][0][1]
    assert bytes(range(256))[:0] in raw and b"Subject: by SMTP" in raw
    assert imap.store(found[0], "+FLAGS", r"(\Flagged)")[0] == "OK"
    assert b"\\Flagged" in imap.fetch(found[0], "(FLAGS)")[1][0]
    assert imap.create("Python")[0] == "OK"
    assert imap.copy(found[0], "Python")[0] == "OK"
    assert imap.append("Python", r"(\Seen)", imaplib.Time2Internaldate(time.time()), b"Subject: appended\r\n\r\nx\r\n")[0] == "OK"
    assert int(imap.select("Python")[1][0]) == 2
    assert imap.uid("SEARCH", None, "ALL")[1][0].split() == [b"1", b"2"]
    assert imap.store("1", "+FLAGS", r"(\Deleted)")[0] == "OK"
    assert imap.expunge()[1] == [b"1"]
    assert any(b"Python" in line for line in imap.list()[1])
    assert imap.status("Python", "(MESSAGES UIDNEXT)")[1][0].endswith(b"(MESSAGES 1 UIDNEXT 3)")
    assert imap.close()[0] == "OK"
    imap.logout()
    imap = imaplib.IMAP4_SSL(HOST, IMAPS, ssl_context=context)
    imap.login_cram_md5(USER, PASSWORD)
    imap.logout()


def read_by_pop3():
    pop3 = poplib.POP3(HOST, POP3)
    pop3.stls(context)
    pop3.user(USER)
    pop3.pass_(PASSWORD)
    count, size = pop3.stat()
    assert count == 2 and size > 100_000, (count, size)
    assert len(pop3.list()[1]) == 2
    uids = [line.split()[1] for line in pop3.uidl()[1]]
    assert len(set(uids)) == 2
    text = b"\r\n".join(pop3.retr(1)[1])
    assert b".a line with a dot" in text or b"base64" in text
    assert len(pop3.top(1, 0)[1]) < 60
    pop3.dele(1)
    pop3.quit()
    pop3 = poplib.POP3_SSL(HOST, POP3S, context=context)
    pop3.user(USER)
    pop3.pass_(PASSWORD)
    assert pop3.stat()[0] == 1
    pop3.quit()


send()
read_by_imap()
read_by_pop3()
print("ok")
