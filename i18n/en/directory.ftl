# Why a change of the directory or a setting was refused.

refusal-revision-stale = { $name } was changed by somebody else meanwhile. Look at it as it is now, and change it again.
refusal-table-read-only = { $name } lies in a table of yours that BatPost may only read. Change it there.
refusal-text-invalid = The text is too long, or holds characters that can't be shown.
refusal-too-many = Those are too many entries: at most { $max } are possible.

refusal-address-invalid = { $address } is no mail address. One looks like user@example.org.
refusal-domain-invalid = { $domain } is no valid name of a domain.
refusal-setting-invalid = { $value } is no valid value for the setting { $setting }.
refusal-setting-out-of-range = { $value } is out of range for the setting { $setting }: it may be from { $min } to { $max }.
refusal-network-invalid = "{ $network }" is no address and no network. Write 192.0.2.7, 192.0.2.0/24 or 192.0.2.1-192.0.2.9, with commas between them.
refusal-capability-rule-invalid = "{ $rule }" is no rule. Write client NAME: CAPABILITY or user ADDRESS: CAPABILITY, with semicolons between the rules. IMAP4rev1, STARTTLS and AUTH can't be switched off.
refusal-setting-unknown = There is no setting { $setting }.

refusal-domain-exists = The domain { $name } exists already, perhaps as another name of a domain.
refusal-domain-unknown = There is no domain { $name } here. Add it first.
refusal-domain-not-empty = The domain { $name } still has users ({ $users }). Remove them first, or remove the domain with its users.
refusal-domain-full = The domain { $name } may have no more than { $max } users.
refusal-mechanism-unknown = { $name } is no way to log in that this server knows.

# What a way to log in costs in safety. Shown by the command line and the configurator.
mechanism-scram-sha-256 = The safest with a password: it is never sent, what the server keeps is of no use elsewhere, and -PLUS ties the login to its TLS connection.
mechanism-external = Client certificates: nothing that could be guessed or stolen in passing. Only where certificates are asked for (tls.client-certificates).
mechanism-oauthbearer = A token of your identity provider: no password passes this server, and the provider can ask for a second factor. Whoever has the token is the user until it expires. Only where a provider is set (oauth.issuer).
mechanism-xoauth2 = As OAUTHBEARER in an older form, for Outlook and older Thunderbird.
mechanism-scram-sha-1 = As safe as SCRAM-SHA-256 in practice, with an older hash.
mechanism-plain = Sends the password, so only under TLS. The server learns it for a moment and keeps the strongest hash of it. IMAP's LOGIN and POP3's USER and PASS go with it.
mechanism-login = The same as PLAIN in an older form, for Outlook and many printers. Only under TLS.
mechanism-digest-md5 = For very old programs. Does not send the password, but whoever listens can try passwords at great speed, and what the server keeps serves to log in by it.
mechanism-cram-md5 = As DIGEST-MD5, and without a proof that the server is the right one.
mechanism-ntlm = Warning: what the server has to keep is nearly the password: whoever gets it can log in with it, here and on every Windows server where the user has the same password, and can try passwords at the greatest speed there is. So can whoever listens; whoever sits in the middle can pass a login on. For programs that know nothing else; NTLMv2 only.
mechanism-apop = Warning: the server has to keep the passwords themselves, encrypted with its key. Whoever gets the data directory has them all. Whoever listens can try passwords at great speed. POP3 only, for programs that know nothing else.

refusal-user-exists = There is a user { $name } already.
refusal-user-unknown = There is no user { $name }.
refusal-identifier-unknown = { $name } is neither a user nor a group ($name) nor a domain of this server (@name) nor “anyone”.
refusal-tree-unknown = { $name } has no public folders.
refusal-tree-exists = { $name } has public folders already.
refusal-tree-of-unknown = There is neither a domain nor a group { $name }.
refusal-tree-exists-of = { $name } still has public folders. Remove them first.
refusal-vacation-invalid = The answer while away can't be kept: it needs a text of at most 32 KiB, a subject of one line, 1 to 365 days, and an end after its start.
refusal-date-invalid = { $date } is not a day: write it like 2026-07-31.
refusal-input-unreadable = The standard input can't be read: { $reason }
refusal-forward-to-itself = { $name } can't forward mail to itself.
refusal-quota-invalid = { $value } is no quota. Give bytes, or a number with K, M, G or T.
refusal-enabled-invalid = { $value } is neither yes nor no.

refusal-password-empty = The password is empty.
refusal-password-unusable = This password can't be used: it is too long, or holds a zero byte.
refusal-password-hash-invalid = This is no valid hash of the scheme { $scheme }, or checking it would take too long.
refusal-password-scheme-unknown = The password scheme { $scheme } is not known here. If the password itself begins so, put {"{"}PLAIN{"}"} before it.
refusal-label-invalid = Say what the app password is for, in at most 100 bytes.
refusal-app-password-exists = There is an app password “{ $name }” already.
refusal-app-password-unknown = There is no app password “{ $name }”.
refusal-certificate-invalid = This is neither a certificate in PEM nor a SHA-256 fingerprint.
refusal-user-certificate-exists = The certificate { $name } belongs to a user already.
refusal-user-certificate-unknown = The user has no certificate { $name }.
refusal-certificate-refused = The certificate can't be taken into use: { $reason }
refusal-acme-off = No authority is set: put the address of its directory into acme.directory.
refusal-acme-terms = The authority's terms of service must be agreed to first ({ $url }): set acme.agree-terms.
refusal-acme-external-account = The authority wants to know whose account this is: set acme.external-account and put its key into keys/acme.
refusal-acme-no-web = The authority would find nobody: open the web's ports (web = true in batpost.toml), or set acme.challenge to dns-01.
refusal-acme-wildcard = { $name } stands for many hosts: set acme.challenge to dns-01.
refusal-acme-name = No authority vouches for { $name }.
refusal-acme-busy = An order is under way; try again when it has ended.
refusal-acme-unknown = No certificate is renewed by that name.
refusal-acme-orders-unreadable = The list of certificates from the authority can't be read: { $reason }. Mend the file; the next order puts it aside and begins a new one.
refusal-acme-reason = No authority knows the reason { $name }: unspecified, key-compromise, affiliation-changed, superseded or cessation-of-operation.
refusal-acme-failed = There is no certificate: { $reason }
refusal-certificate-unknown = There is no such certificate, or it is the one that has to stay.

refusal-alias-exists = There is an alias { $name } already.
refusal-alias-unknown = There is no alias { $name }.
refusal-alias-without-target = The alias { $name } leads nowhere: give at least one address.
refusal-alias-to-itself = The alias { $name } can't lead to itself.

refusal-group-exists = There is a group { $name } already, or one with that address.
refusal-group-unknown = There is no group { $name }.
refusal-group-invalid = { $name } is no valid name of a group. Letters, digits, blanks, hyphens, underscores and dots are possible, at most 64 bytes.
refusal-group-in-itself = The group { $name } can't be a member of itself.
refusal-group-address-exists = There is a group with the address { $name } already.

refusal-selector-invalid = { $selector } can't be a selector: letters, digits, hyphens and dots between.
refusal-algorithm-unknown = There is no algorithm { $algorithm }: rsa or ed25519.
refusal-dkim-exists = The domain has a key with the selector { $name } already.
refusal-dkim-unknown = There is no key with the selector { $name }.
refusal-dkim-key-unreadable = That is no private key that can sign: PEM with an RSA key of 2048 to 4096 bits or an Ed25519 key, without a password.

refusal-route-exists = There is a route { $name } already.
refusal-route-unknown = There is no route { $name }.
refusal-route-name-invalid = “{ $name }” is no name for a route: give one of at most 64 bytes.
refusal-route-pattern-invalid = { $pattern } is no pattern. Write a domain, *.domain, an address or *, for senders also <>.
refusal-route-host-invalid = { $value } is no host. Write host, host:port, an address or mx:domain.
refusal-language-unknown = { $value } is no language that the server writes. Known are: en, ru.
refusal-route-tls-unknown = { $value } is no way to encrypt. Known are: none, opportunistic, verified, dane.
refusal-route-protocol-unknown = { $value } is no protocol of a route. Known are: smtp, lmtp.
refusal-route-lmtp-needs-host = A route over LMTP needs the name of a host.
refusal-route-login-needs-host = A login needs the name of a host: it is not sent to whom the DNS names.
refusal-external-exists = The user has an external account { $name } already.
refusal-external-unknown = The user has no external account { $name }.
refusal-external-name-invalid = “{ $name }” is no name for an external account: give one of at most 64 bytes.
refusal-external-host-invalid = { $value } is no host. Write its name or its address.
refusal-external-login-missing = An external account needs the name to log in with.
refusal-external-protocol-unknown = { $value } is no protocol of an external account. Known are: pop3, imap.
refusal-external-security-unknown = { $value } is no way to encrypt. Known are: tls, starttls, none.
refusal-external-mechanism-unknown = { $value } is no way to log in. Known are: auto, scram-sha-256, cram-md5, plain, apop, login.
refusal-external-certificate-invalid = Write the SHA-256 fingerprint of a certificate (64 hexadecimal digits), “any”, or nothing for one that is verified.
refusal-external-pop3-has-no-folders = POP3 knows no folders: name none, or choose IMAP.
refusal-external-apop-is-of-pop3 = APOP is a way to log in to POP3 only.
refusal-external-interval-invalid = Choose from 1 to { $max } minutes between two visits.
refusal-external-days-invalid = Choose from 1 to { $max } days.
refusal-external-unreachable = { $host } can't be reached: { $reason }. Check the host's name and port.
refusal-external-timeout = The other server does not answer in time.
refusal-external-closed = The other server closed the connection.
refusal-external-tls = No safe connection: { $reason }. If the certificate is right nevertheless, name its fingerprint.
refusal-external-no-tls = The other server does not offer TLS here. Try TLS from the start.
refusal-external-login-refused = The other server refuses the login: { $answer }. Check the name and the password.
refusal-external-no-mechanism = There is no safe way to log in that both servers know (offered: { $offered }). Choose TLS, or another mechanism.
refusal-external-no-password = The account has no password, or it can't be opened: set it.
refusal-external-command-refused = The other server refuses “{ $command }”: { $answer }
refusal-external-garbage = The other server's answer can't be understood: “{ $said }”. Check the protocol and the port.
refusal-external-too-many = There are more than { $max } messages that have to be remembered.
refusal-external-no-unique-ids = The other server has no unique ids (UIDL): only mail that is deleted over there can be fetched.
refusal-external-left-out = So much of a folder was left out (more than { $max } places) that nothing behind it is deleted over there any more.
refusal-external-mailbox-full = The user's mailbox is full: the mail stays on the other server.
refusal-external-user-disabled = The user is disabled.
refusal-external-store = Mail can't be taken in now: { $reason }
refusal-external-gone = The account was removed or changed meanwhile.

refusal-access-exists = { $name } is on that list already.
refusal-access-unknown = { $name } is not on that list.
refusal-pattern-invalid = { $pattern } is no address, range, host name or mail address, and no pattern of them.

refusal-import-header-invalid = The first line of the file must name the columns, “address” among them.
refusal-import-column-unknown = The column { $column } is not known, or is there twice. Known are: address, password, name, quota, groups, enabled.
refusal-import-line-invalid = The line has more cells than the header, or its quotes don't match.
refusal-import-too-large = The file is too large: at most { $max } bytes at a time.
