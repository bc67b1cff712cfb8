# What becomes of messages: events of the delivery, and the reports that senders get.

event-delivered-locally = Delivered to <{ $recipient }>, folder { $folder }
event-delivered-remotely = Handed on for <{ $recipient }> to { $host }: { $reply }
event-delivery-put-off = Delivery to <{ $recipient }> put off: { $reason }
event-delivery-failed = Delivery to <{ $recipient }> failed: { $reason }
event-bounce-sent = Report on message { $about } sent to <{ $recipient }>
event-bounce-dropped = No report is sent, because the message has no sender. Recipients: { $reason }
event-vacation-answered = Answered <{ $recipient }> for <{ $user }>, who is away
event-host-rests = { $host } [{ $address }] can't be reached and is left alone for { $seconds } seconds: { $reason }
event-host-slowed-down = { $host } [{ $address }] has enough of us: at most { $connections } connections at once from now on
event-outgoing-verified = The connection to { $host } is encrypted, and its certificate holds ({ $by })
event-outgoing-encrypted = The connection to { $host } is encrypted, its certificate not verified: { $reason }
event-outgoing-plain = The connection to { $host } is not encrypted: { $reason }
event-outgoing-converted = { $host } takes only 7-bit text: the message was rewritten for it, and signatures by others may not hold there
event-outgoing-tls-refused = Nothing is sent to { $host }, because the connection is not as secure as it has to be ({ $by }): { $reason }
event-dane-unavailable = DANE is switched on, but nothing can be proved by signatures of the DNS: { $reason }
event-sts-policy = { $domain } wants verified connections to its hosts (MTA-STS): { $hosts }
event-sts-failed = The policy of { $domain } (MTA-STS) can't be fetched: { $reason }
event-queue-changed = The queue was changed by { $by }: { $action }

report-from = Mail delivery
report-subject-failed = Your message could not be delivered
report-subject-delayed = Your message is delayed
report-subject-delivered = Your message was delivered
report-intro-failed = Your message of { $received } could not be delivered to { $count ->
    [one] this recipient
   *[other] these { $count } recipients
}:
report-intro-delayed = Your message of { $received } could not be delivered yet to { $count ->
    [one] this recipient
   *[other] these { $count } recipients
}:
report-intro-delivered = As you asked, here is what became of your message of { $received } for { $count ->
    [one] this recipient
   *[other] these { $count } recipients
}:
report-end-failed = It will not be tried again. This report was made by the mail server { $host }.
report-end-delayed = You need not do anything: it will be tried until { $until }. This report was made by the mail server { $host }.
report-end-delivered = This report was made by the mail server { $host }.
report-reason-delivered = The message lies in the mailbox.
report-reason-relayed = The recipient's mail server took the message; it sends no reports of its own.
report-reason-expanded = The message was forwarded to another address.
report-reason-unknown = There is no such address. Check how it is written.
report-reason-no-domain = There is no mail server for this domain. Check how the part after the @ is written.
report-reason-takes-no-mail = This domain takes no mail.
report-reason-disabled = The mailbox takes no mail at present.
report-reason-over-quota = The mailbox is full.
report-reason-too-large = The message is too large for the recipient's mail server.
report-reason-loop = The message went round in circles between mail servers.
report-reason-expired = It was tried until the time for delivery was over.
report-reason-unreachable = The recipient's mail server could not be reached.
report-reason-international = The recipient's mail server does not take addresses with such letters.
report-reason-insecure = The recipient's mail server could not prove who it is, and its domain, or the administrator here, wants that.
report-reason-require-tls = You asked that the message be encrypted all the way, and the recipient's mail server can't promise that.
report-reason-removed = An administrator removed the message.
report-reason-refused = The mail server answered:
