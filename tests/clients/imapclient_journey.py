"""IMAPClient against a server: a working day over STARTTLS, with IDLE.

usage: imapclient_journey.py IMAP IMAPS USER PASSWORD
"""

import ssl
import sys
from datetime import datetime, timezone

from imapclient import DELETED, FLAGGED, SEEN, IMAPClient
from imapclient.exceptions import IMAPClientError, LoginError

IMAP, IMAPS = map(int, sys.argv[1:3])
USER, PASSWORD = sys.argv[3:5]
HOST = "127.0.0.1"

context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE


def login():
    client = IMAPClient(HOST, port=IMAP, ssl=False)
    assert client.starttls(context), "STARTTLS"
    client.login(USER, PASSWORD)
    return client


def text(number):
    return f"From: a@b.test\r\nTo: {USER}\r\nSubject: number {number} =?UTF-8?B?0LrQu9GO0Yc=?=\r\nMessage-ID: <{number}@b.test>\r\n\r\nтекст {number}\r\n".encode()


def wrong_password():
    client = IMAPClient(HOST, port=IMAPS, ssl=True, ssl_context=context)
    try:
        client.login(USER, "wrong")
    except LoginError:
        pass
    else:
        raise AssertionError("a wrong password was taken")
    client.plain_login(USER, PASSWORD)
    client.logout()


def folders(client):
    for name in ("Работа", "Работа/2024", "a&b"):
        client.create_folder(name)
        client.subscribe_folder(name)
    names = [name for _, _, name in client.list_folders()]
    for name in ("INBOX", "Работа", "Работа/2024", "a&b"):
        assert name in names, names
    assert "Работа/2024" in [name for _, _, name in client.list_sub_folders()]
    client.rename_folder("a&b", "a&c")
    assert client.folder_exists("a&c") and not client.folder_exists("a&b")
    client.unsubscribe_folder("a&b")
    client.delete_folder("a&c")
    assert not client.folder_exists("a&c")
    assert client.find_special_folder(b"\\Sent") == "Sent"
    assert client.namespace().personal


def messages(client):
    when = datetime(2024, 2, 1, 10, 20, 30, tzinfo=timezone.utc)
    for number in range(1, 6):
        client.append("Работа", text(number), flags=[SEEN] if number == 1 else [], msg_time=when)
    status = client.folder_status("Работа", ["MESSAGES", "UNSEEN", "UIDNEXT"])
    assert (status[b"MESSAGES"], status[b"UNSEEN"]) == (5, 4), status
    opened = client.select_folder("Работа")
    assert opened[b"EXISTS"] == 5 and opened[b"UIDNEXT"] == 6, opened
    uids = client.search(["UNSEEN"])
    assert uids == [2, 3, 4, 5], uids
    assert client.search(["SUBJECT", "КЛЮЧ", "NOT", "SEEN"], charset="UTF-8") == [2, 3, 4, 5]
    assert client.search(["BODY", "текст 3"], charset="UTF-8") == [3]
    fetched = client.fetch(uids, ["FLAGS", "ENVELOPE", "RFC822.SIZE", "BODY.PEEK[]", "INTERNALDATE", "BODYSTRUCTURE"])
    for uid in uids:
        assert fetched[uid][b"BODY[]"] == text(uid)
        assert fetched[uid][b"RFC822.SIZE"] == len(text(uid))
        assert fetched[uid][b"ENVELOPE"].message_id == f"<{uid}@b.test>".encode()
        assert fetched[uid][b"INTERNALDATE"].astimezone(timezone.utc) == when
    client.add_flags([2, 3], [FLAGGED, b"$Work"])
    assert client.search(["KEYWORD", "$Work"]) == [2, 3]
    client.remove_flags([3], [b"$Work"])
    assert set(client.get_flags([3])[3]) >= {FLAGGED}
    client.copy([2], "INBOX")
    client.move([3], "Работа/2024")
    client.set_flags([4], [DELETED])
    client.uid_expunge([4])
    assert client.search() == [1, 2, 5]
    client.delete_messages([5])
    client.expunge()
    assert client.search("ALL") == [1, 2]
    client.close_folder()
    assert client.folder_status("Работа/2024", ["MESSAGES"])[b"MESSAGES"] == 1
    try:
        client.select_folder("Nowhere")
    except IMAPClientError:
        pass
    else:
        raise AssertionError("a folder that is not there was opened")


def idle(client):
    other = login()
    client.select_folder("INBOX")
    other.select_folder("INBOX")
    before = len(client.search())
    client.idle()
    other.append("INBOX", text(9))
    seen = []
    while (before + 1, b"EXISTS") not in seen:
        answers = client.idle_check(timeout=300)
        assert answers, f"nothing came: {seen}"
        seen += answers
    uid = other.search(["SUBJECT", "number 9"])
    other.delete_messages(uid)
    other.expunge()
    while not any(len(answer) == 2 and answer[1] == b"EXPUNGE" for answer in seen):
        answers = client.idle_check(timeout=300)
        assert answers, f"nothing came: {seen}"
        seen += answers
    client.idle_done()
    assert len(client.search()) == before
    other.logout()


def main():
    wrong_password()
    client = login()
    assert client.has_capability("IDLE") and client.has_capability("MOVE") and client.has_capability("UIDPLUS")
    client.id_({"name": "journey"})
    folders(client)
    messages(client)
    idle(client)
    client.logout()
    print("ok")


main()
