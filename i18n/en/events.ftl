# What happened, as the log and the monitor tell it. One message for each event code.

log-unwritable = BatPost: the log could not be written: { $reason }

event-imap-command-refused = The command { $command } was refused: { $reply }
event-pop3-command-refused = The command { $command } was refused: { $reply }
event-smtp-message-accepted = Message from <{ $sender }> accepted for { $recipients ->
    [one] { $recipients } recipient
   *[other] { $recipients } recipients
}, { $size } bytes
event-smtp-refused = { $stage } { $subject } refused: { $reply }
event-smtp-sender-checked = Sender <{ $sender }> checked: SPF { $spf }, DKIM { $dkim }, DMARC { $dmarc }, ARC { $arc }
event-smtp-smuggling-refused = Message from <{ $sender }> refused: its line ends or its end of data were not as the standard demands (attempted SMTP smuggling)
event-session-opened = Session of the service { $service } opened
event-session-closed = Session of the service { $service } closed ({ $reason }): { $bytes_in } bytes in, { $bytes_out } bytes out
event-session-refused = Session of the service { $service } refused: { $reason }
event-session-ended = Session of the service { $service } ended by { $by }
event-tls-failed = TLS handshake failed: { $reason }
event-service-changed = Service { $service } is now { $state } (by { $by })
event-listening = Service { $service } listens on { $address }
event-login-succeeded = { $user } logged in to { $service } ({ $mechanism })
event-login-failed = Login of { $user } to { $service } failed ({ $mechanism }): { $reason }
event-relay-denied = Relaying to { $recipient } was refused
event-server-started = BatPost { $version } started on { $data }
event-server-stopping = { $reason ->
    [request] BatPost is stopping as asked
   *[other] BatPost is stopping: { $reason }
}
event-dmarc-report-sent = Report on { $messages ->
    [one] { $messages } message
   *[other] { $messages } messages
} of { $domain } sent to { $to } (DMARC)
event-tls-report-sent = Report on { $sessions ->
    [one] { $sessions } connection
   *[other] { $sessions } connections
} to the hosts of { $domain }, of which { $failures } failed, sent to { $to } (TLS-RPT)
event-tls-report-failed = The report on connections to the hosts of { $domain } (TLS-RPT) did not reach { $to }: { $reason }
event-signing-key-unusable = The key { $selector } of { $domain } can't be opened: mail leaves without its signature. Make a new key (batpostctl dkim add), or restore keys/secret.
event-external-message = Message of { $sender } fetched from { $account } for { $user }
event-external-fetched = { $messages ->
    [one] { $messages } message
   *[other] { $messages } messages
} for { $user } fetched from { $account } ({ $host })
event-external-failed = No mail can be fetched from { $account } ({ $host }) for { $user }: { $reason }
event-external-recovered = Mail is fetched again from { $account } ({ $host }) for { $user }
event-external-skipped = { $reason ->
    [too-large] Message { $message } of { $account } is too large and stays there ({ $user })
    [broken-off] The connection breaks off whenever message { $message } of { $account } is asked for: it stays there ({ $user })
   *[loop] Message { $message } of { $account } goes round in circles and stays there ({ $user })
}
event-external-not-expunged = { $account } ({ $user }): the server can't remove single messages; in { $folder } they are only marked as deleted
event-configuration-changed = Configuration changed by { $by }: { $kind } { $name } ({ $action })
event-certificate-made = Self-signed certificate for { $host } made
event-certificate-expires = The certificate of { $names } ends in { $days ->
    [one] { $days } day
   *[other] { $days } days
}. Renew it, or mail programs will refuse this server.
event-certificate-obtained = Certificate for { $names } obtained from { $issuer }; it holds for { $days ->
    [one] { $days } day
   *[other] { $days } days
}
event-certificate-not-obtained = No certificate for { $names }: { $reason }. Next try in { $minutes ->
    [one] { $minutes } minute
   *[other] { $minutes } minutes
}
event-challenge-stays = A record that showed an authority whose a name is could not be removed from the DNS: { $reason }
event-certificate-revoked = The certificate for { $names } was revoked ({ $reason }); another one is asked for
event-renewal-advised = The authority wants the certificate for { $names } renewed at another time; why: { $url }
event-account-key-changed = The account at { $directory } has a new key
event-certificate-damaged = A certificate can't be read: { $reason }. What was in use stays in use; mend or remove the file
event-certificate-orders-unreadable = The list of certificates from the authority can't be read, and none is renewed: { $reason }
event-certificate-orders-put-aside = The unreadable list of certificates from the authority was put aside as { $file }; a new one was begun
event-internal-fault = Internal fault in { $place }: { $reason }
event-journal-replayed = The last stop was not clean: { $records } records of the journal were replayed
event-store-failed = { $store } failed: { $reason }. Nothing is acknowledged until it has been opened again
event-store-stopped = The disk failed: { $reason }. Everything new is put off until it works again
event-disk-full = The disk is full: there was no room for { $path }. New mail is put off until there is room
event-disk-room = There is room on the disk again: { $path } would fit now
event-store-resumed = The disk works again after "{ $reason }": the store is being opened anew
event-mailbox-damaged = The mailbox { $owner } is damaged: { $reason }
event-database-unavailable = The database { $database } can't be reached: { $reason }
event-events-missed = { $count ->
    [one] { $count } event was
   *[other] { $count } events were
} not recorded: more happened at once than the logs could take
