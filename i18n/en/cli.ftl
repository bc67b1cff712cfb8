# The command lines: batpostctl and batpostd.

cli-heading-usage = Usage
cli-heading-commands = Commands
cli-heading-options = Options
cli-heading-arguments = Arguments
cli-value-command = COMMAND
cli-help = Show this help
cli-try-help = Try --help.
cli-error-unknown-argument = Unknown option: { $argument }
cli-error-surplus-argument = One argument too many: { $argument }
cli-error-unknown-command = Unknown command: { $command }
cli-error-missing-argument = Missing: { $argument }
cli-error-missing-command = A command is missing.
cli-error-invalid-value = { $value } is not valid for { $argument }
cli-error-conflict = { $argument } can't be used together with another option given here
cli-error-usage = The command line was not understood.
cli-error-no-daemon = No BatPost daemon answers there ({ $reason }). Is it running, and is --data right?
cli-error-lost = The connection to the daemon was lost.
cli-error-garbled = The daemon's answer was not understood: { $reason }

# Commands of batpostctl
cli-about-ctl = Administers a running BatPost mail server
cli-domain = Domains
cli-domain-add = Add a domain
cli-domain-list = List the domains
cli-domain-show = Show a domain
cli-domain-set = Change a domain
cli-domain-logins = Show how its users may log in, and what each way costs in safety
cli-domain-remove = Remove a domain
cli-dkim = Keys that sign mail (DKIM)
cli-dkim-add = Make a key for a domain, or take one from a file
cli-dkim-list = List the keys
cli-dkim-show = Show a key and the record that publishes it
cli-dkim-enable = Sign with a key
cli-dkim-disable = Sign no longer with a key
cli-dkim-remove = Remove a key
cli-report = Reports to other domains: on mail in their names (DMARC) and on connections to them (TLS-RPT)
cli-report-list = List the reports that wait
cli-report-send = Send what waits now
cli-user = Users
cli-user-add = Add a user
cli-user-list = List the users
cli-user-show = Show a user
cli-user-set = Change a user
cli-user-rename = Give a user another address
cli-user-password = Set a user's password
cli-user-vacation = Show or set the answer to those who write while a user is away; an option switches it on
cli-user-remove = Remove a user
cli-user-import = Import users from a CSV file
cli-app-password = A user's app passwords: one for each program or device
cli-app-password-add = Make an app password and print it; it can't be shown again
cli-app-password-list = List the app passwords
cli-app-password-remove = Remove an app password
cli-user-certificate = Certificates that a user logs in with (EXTERNAL)
cli-user-certificate-add = Let a user log in by a certificate
cli-user-certificate-list = List a user's certificates
cli-user-certificate-remove = Log the user in by that certificate no more
cli-alias = Aliases
cli-alias-add = Add an alias
cli-alias-list = List the aliases
cli-alias-set = Change an alias
cli-alias-remove = Remove an alias
cli-external = Mailboxes elsewhere whose mail is fetched for users
cli-external-list = List the accounts
cli-external-show = Show an account and how it stands with it
cli-external-add = Add an account
cli-external-set = Change an account
cli-external-remove = Remove an account; what was fetched stays
cli-external-fetch = Fetch mail now
cli-external-test = Connect and log in, and fetch nothing
cli-external-fine = fine
cli-group = Groups of users
cli-group-add = Add a group
cli-group-list = List the groups
cli-group-set = Change a group
cli-group-remove = Remove a group
cli-folder = A user's folders, or public ones
cli-folder-list = List the folders
cli-folder-add = Add a folder
cli-folder-rename = Rename a folder
cli-folder-remove = Remove a folder with its messages
cli-folder-rights = Give somebody rights on a folder, or take them away
cli-public = Public folders of domains and groups
cli-public-list = List the domains and groups that have public folders
cli-public-add = Make public folders for a domain or a group
cli-public-set = Set how much public folders may hold; 0: no limit
cli-public-remove = Remove public folders with all their messages
cli-tree-of-domain = domain
cli-tree-of-group = group
cli-route = Routes: where outgoing mail goes
cli-route-add = Add a route
cli-route-list = List the routes in the order in which they are asked
cli-route-show = Show a route
cli-route-set = Change a route
cli-route-remove = Remove a route
cli-route-test = Show where mail for an address would go
cli-route-by-here = The address is one of this server.
cli-route-by-override = batpost.toml says where the mail goes.
cli-route-by-route = The mail takes the route { $name }.
cli-route-by-smarthost = The mail goes through the smarthost of the settings.
cli-route-by-direct = The mail goes straight to the hosts of the domain.
cli-queue = The queue of messages
cli-queue-list = List the messages
cli-queue-show = Show a message with the state of each recipient
cli-queue-retry = Try to deliver at once
cli-queue-hold = Keep messages from being delivered
cli-queue-release = Let held messages be delivered
cli-queue-remove = Remove messages
cli-queue-read = Print the text of a message
cli-queue-route = Send messages by another host; without --to the usual way again
cli-queue-export = Write messages as ID.eml and ID.json into a directory, all if no id is given
cli-session = Sessions of mail programs and servers
cli-session-list = List the sessions
cli-session-end = End a session
cli-service = Services
cli-service-status = Show the services
cli-service-start = Start a service
cli-service-pause = Take no new sessions
cli-service-stop = Close the ports and end the sessions
cli-log = The log
cli-log-show = Show stored events
cli-log-follow = Show events as they happen
cli-allow = The white list
cli-block = The black list
cli-access-add = Add an entry
cli-access-list = List the entries
cli-access-remove = Remove an entry
cli-setting = Settings
cli-setting-list = List the settings
cli-setting-set = Change a setting
cli-certificate = Certificates of the server
cli-certificate-list = List the certificates: whose they are, until when, for which names each is served
cli-certificate-add = Take a certificate into use, with its chain and key
cli-certificate-remove = Remove a certificate
cli-certificate-reload = Read the folder of certificates anew; sessions go on
cli-certificate-obtain = Get a certificate from the authority that acme.directory names, and renew it from now on
cli-certificate-orders = List the certificates that are renewed, and what is tried again
cli-certificate-forget = Renew a certificate no longer; it stays
cli-certificate-revoke = Have the authority revoke a certificate, and get another one at once
cli-certificate-rekey = Give the account at the authority a new key
cli-certificate-working = (being asked for)
cli-certificate-default = (all others)
cli-certificate-self-signed = itself
cli-storage = Databases
cli-storage-show = Show where each kind of data lies
cli-check = Verify the mailboxes
cli-monitor = Show the server's figures
cli-rpc = Call a method of the control protocol
cli-stdio = Relay standard input and output to the control channel
cli-shutdown = Stop the daemon
cli-completions = Print completions for a shell

# Arguments and options
cli-arg-name = A name
cli-arg-domain = The domain
cli-arg-address = A mail address
cli-arg-target = Where the mail goes
cli-arg-to = The new name
cli-arg-file = A CSV file with a header line of any of: address,password,name,quota,groups,enabled
cli-arg-user = The user's address, or Public/NAME for public folders
cli-arg-folder = The folder's name, levels separated by /
cli-arg-directory = A directory of this machine, made if it is missing
cli-arg-identifier = A user's address, $group, @domain or anyone; with - before it: who is denied the rights
cli-arg-rights = Letters of l r s w i p k x t e a, or one of reader, writer, editor, owner; left out: none
cli-arg-id = The number or id, as a list shows it
cli-arg-service = smtp, submission, lmtp, pop3, imap, web or delivery
cli-arg-pattern = An IP address, range, host name or mail address, with * as a wild card
cli-arg-key = The setting's name
cli-arg-value = The new value
cli-arg-method = The method's name, for example user.list
cli-arg-params = The parameters, as JSON
cli-arg-shell = bash, zsh, fish, elvish or powershell
cli-arg-label = What the app password is for, for example Phone
cli-arg-names = Host names, with commas between; the certificate is called by the first
cli-arg-pem = Files in PEM: the certificate, its chain and its key, in one file or several
cli-arg-certificate = A file with the certificate (PEM), or its SHA-256 fingerprint
cli-opt-version = Show the version
cli-opt-data = The data directory of the daemon
cli-opt-socket = The control socket or pipe
cli-opt-json = Answer in JSON
cli-opt-filter = Only rows that contain this
cli-opt-sort = Sort by this column
cli-opt-descending = Sort downwards
cli-opt-offset = Leave out so many rows
cli-opt-limit = Show at most so many rows
cli-opt-description = A description
cli-opt-enabled = Whether it is in use
cli-opt-selector = What tells the domain's keys apart in DNS
cli-opt-algorithm = rsa (2048 bits, the default) or ed25519
cli-opt-key-file = A private key in PEM that was made elsewhere
cli-opt-active = Sign with it at once
cli-opt-catch-all = Where mail for unknown addresses goes; empty: nowhere
cli-opt-user-quota = Bytes each user may fill; 0: no limit
cli-opt-alias = Another name of the domain (may be repeated)
cli-opt-mechanism = A way in which its users may log in (may be repeated; “standard”: the usual ones). See domain logins
cli-opt-with-users = Remove its users and their mail as well
cli-opt-name = The person's name
cli-opt-quota = Bytes the user may fill; 0: the domain's limit
cli-opt-tree-quota = Bytes that all these folders may fill; 0: no limit
cli-opt-group = A group the user belongs to (may be repeated)
cli-opt-recipient = Recipients: a domain, *.domain, an address or * (may be repeated)
cli-opt-sender = Senders: a domain, *.domain, an address, * or <> (may be repeated)
cli-opt-host = A next host, or mx:DOMAIN (may be repeated); none: those of the recipient's domain
cli-opt-kind = Only those of that kind: dmarc or tls
cli-opt-encryption = TLS towards the host: none, opportunistic, verified or dane
cli-opt-over = smtp or lmtp
cli-opt-login = The name to log in with; empty: without a login
cli-opt-place = Lower places are asked first
cli-opt-password-stdin = Read the password from the standard input
cli-opt-domain = Only of this domain
cli-opt-forward = Send copies there (may be repeated)
cli-opt-no-forward = Forward nowhere
cli-opt-language = The language of what the server writes to these users: en, ru, or default for none of their own
cli-opt-send-as = Address, @domain or * that the user may send as besides the own ones (may be repeated)
cli-opt-no-send-as = Nothing but the own addresses
cli-opt-text-stdin = Read the text from the standard input
cli-opt-subject = The answer's subject; empty: “Auto:” and the subject of the message
cli-opt-starts = The first day; - for at once
cli-opt-ends = The last day; - for no end
cli-opt-days = Nobody is answered twice within so many days
cli-opt-off = Answer nobody
cli-opt-keep-copy = Keep what was forwarded
cli-opt-deny = A protocol the user may not use (may be repeated)
cli-opt-protocol = A protocol that it opens: imap, pop3, smtp or submission (may be repeated); left out: all
cli-opt-label = A remark
cli-opt-of-user = Only this user's
cli-opt-fetch-protocol = pop3 or imap (the default)
cli-opt-server = The other server's name or address
cli-opt-port = Its port; 0: the usual one
cli-opt-security = tls (from the start, the default), starttls (required) or none
cli-opt-certificate = verify (the default), any (not looked at), or the SHA-256 fingerprint of the one certificate that is taken
cli-opt-fetch-login = The name to log in with over there
cli-opt-fetch-mechanism = auto (the best that both know, the default), scram-sha-256, cram-md5, plain, apop or login
cli-opt-source = IMAP: a folder to fetch from (may be repeated; INBOX if none is named)
cli-opt-into = The folder here; empty: as other mail to the user
cli-opt-revocation = Why: unspecified (the default), key-compromise, affiliation-changed, superseded or cessation-of-operation
cli-opt-every = Minutes between two visits
cli-opt-keep = What was fetched stays over there (the default)
cli-opt-delete = What was fetched is deleted over there
cli-opt-delete-after = It is deleted over there so many days after it was fetched
cli-opt-mark-seen = IMAP: what stays is marked as read over there
cli-opt-keep-mail = Keep the mailbox on the disk
cli-opt-create-domains = Add domains that are missing
cli-opt-address = The address of the group
cli-opt-member = A member (may be repeated)
cli-opt-member-group = A group whose members belong to it (may be repeated)
cli-opt-special-use = all, archive, drafts, flagged, junk, sent or trash
cli-opt-bounce = Tell the senders
cli-opt-to = The host: HOST or HOST:PORT
cli-opt-channel = smtp, pop3, imap, delivery, security, errors, drivers or application (may be repeated)
cli-opt-session = Only this session
cli-opt-message = Only this message
cli-opt-contains = Only rows that contain this
cli-opt-comment = A remark
cli-opt-user = Only this user's mailbox
cli-opt-repair = Repair what can be repaired
cli-opt-hostname = The name of this server in the mail network
cli-opt-port-offset = Added to the standard ports
cli-opt-bind = The IP address to listen on (may be repeated)
cli-opt-web = Listen on ports 80 and 443 too, for mail programs that ask how an account is set up

# Answers
cli-yes = yes
cli-no = no
cli-held = held
cli-ask-password = Password:{" "}
cli-ask-password-again = Once more:{" "}
cli-more-rows = … and { $count ->
    [one] { $count } row
   *[other] { $count } rows
} more: use --limit and --offset
cli-done-dkim-add = Publish the record, then sign with the key: batpostctl dkim enable … --selector { $selector }
cli-done-report-send = { $count ->
    [0] No report was sent.
    [one] { $count } report sent.
   *[other] { $count } reports sent.
}
cli-done-domain-add = Domain { $name } added.
cli-done-user-add = User { $address } added.
cli-done-change = Done.
cli-done-external-fetch = { $count ->
    [0] Nothing was fetched.
    [one] { $count } message fetched.
   *[other] { $count } messages fetched.
}
cli-done-remove = Removed.
cli-done-password = Password set.
cli-done-import = { $count ->
    [one] { $count } user
   *[other] { $count } users
} imported.
cli-import-line = Line { $line }: { $reason }
cli-import-more = … and { $count ->
    [one] { $count } line
   *[other] { $count } lines
} more that could not be imported
cli-done-queue = { $count ->
    [one] { $count } message
   *[other] { $count } messages
} concerned.
cli-done-session-end = The session is being ended.
cli-done-check = { $mailboxes ->
    [one] { $mailboxes } mailbox
   *[other] { $mailboxes } mailboxes
} with { $messages ->
    [one] { $messages } message
   *[other] { $messages } messages
} checked, { $problems ->
    [0] nothing wrong
    [one] { $problems } problem
   *[other] { $problems } problems
}.
cli-done-shutdown = The daemon is stopping.
cli-problem = Mailbox { $owner }: { $reason }
cli-problem-repaired = Mailbox { $owner }: { $reason } (repaired)
cli-seconds = { $count ->
    [one] { $count } second
   *[other] { $count } seconds
}
cli-state-waiting = waiting
cli-state-delivered = delivered
cli-state-failed = failed
cli-service-running = running
cli-service-paused = paused
cli-service-stopped = stopped

cli-column-last-failure = LAST FAILURE
cli-column-selector = SELECTOR
cli-column-algorithm = ALGORITHM
cli-column-signs = SIGNS
cli-column-record-name = RECORD NAME
cli-column-record-type = RECORD TYPE
cli-column-record = RECORD
cli-column-day = DAY
cli-column-domain = DOMAIN
cli-column-users = USERS
cli-column-enabled = ENABLED
cli-column-description = DESCRIPTION
cli-column-aliases = ALIASES
cli-column-catch-all = CATCH-ALL
cli-column-user-quota = USER QUOTA
cli-column-address = ADDRESS
cli-column-name = NAME
cli-column-of = OF
cli-column-quota = QUOTA
cli-column-groups = GROUPS
cli-column-forward = FORWARD
cli-column-language = LANGUAGE
cli-column-send-as = SENDS AS
cli-column-starts = FROM
cli-column-ends = UNTIL
cli-column-days = DAYS
cli-column-subject = SUBJECT
cli-column-text = TEXT
cli-column-mailbox = MAILBOX
cli-column-targets = TARGETS
cli-column-group = GROUP
cli-column-members = MEMBERS
cli-column-place = PLACE
cli-column-hosts = HOSTS
cli-column-host = HOST
cli-column-protocol = PROTOCOL
cli-column-login = LOGIN
cli-column-folder = FOLDER
cli-column-external-certificate = CERTIFICATE
cli-column-into = INTO
cli-column-every = MINUTES
cli-column-after = AFTERWARDS
cli-column-last-visit = LAST VISIT
cli-column-next-visit = NEXT VISIT
cli-column-fetched = FETCHED
cli-column-skipped = SKIPPED
cli-column-result = RESULT
cli-column-messages = MESSAGES
cli-column-unseen = UNSEEN
cli-column-size = SIZE
cli-column-special-use = USE
cli-column-rights = RIGHTS
cli-column-label = LABEL
cli-column-fingerprint = FINGERPRINT
cli-column-host-names = HOSTS
cli-column-issuer = ISSUED BY
cli-column-served = SERVED FOR
cli-column-mechanism = MECHANISM
cli-column-costs = WHAT IT COSTS
cli-column-protocols = OPENS
cli-column-made = MADE
cli-column-used = LAST USED
cli-column-id = ID
cli-column-arrived = ARRIVED
cli-column-sender = SENDER
cli-column-recipients = RECIPIENTS
cli-column-recipient = RECIPIENT
cli-column-attempts = TRIES
cli-column-next-try = NEXT TRY
cli-column-last-reply = LAST ANSWER
cli-column-held = HELD
cli-column-route = BY HOST
cli-column-state = STATE
cli-column-service = SERVICE
cli-column-peer = PEER
cli-column-user = USER
cli-column-tls = TLS
cli-column-since = SINCE
cli-column-bytes-in = IN
cli-column-bytes-out = OUT
cli-column-active = ACTIVE
cli-column-total = TOTAL
cli-column-listeners = LISTENS ON
cli-column-uptime = UP
cli-column-queue = QUEUE
cli-column-accepted = ACCEPTED
cli-column-delivered = DELIVERED
cli-column-memory = MEMORY
cli-column-pattern = PATTERN
cli-column-comment = REMARK
cli-column-setting = SETTING
cli-column-value = VALUE
cli-column-count = COUNT
cli-column-kind = KIND
cli-column-database = DATABASE
cli-column-driver = DRIVER
cli-column-location = PLACE

# Refusals before the daemon is asked
refusal-password-unreadable = The password could not be read: { $reason }
refusal-passwords-differ = The two passwords differ.
refusal-file-unreadable = { $file } can't be read: { $reason }
refusal-protocol-unknown = { $protocol } is no protocol. Known are: smtp, submission, lmtp, pop3, imap.
refusal-output-unwritable = The message could not be written: { $reason }
refusal-json-invalid = The parameters are not valid JSON: { $reason }

# batpostd
cli-about-daemon = The BatPost mail server
cli-daemon-run = Run the server in the foreground
cli-daemon-demo = Run a server to try out, on loopback, ports + 2000 or as --port-offset says at the first start
cli-daemon-init = Make a data directory
cli-daemon-service = Run the server as a service of Windows (called by the service manager)
daemon-demo-title = BatPost runs here to be tried out. Everything lies in { $data }.
daemon-demo-user = User: { $user }, password: { $password } (and { $other } with the same password)
daemon-demo-service = { $service }: { $address }
daemon-demo-tls = { $service }: { $address } (TLS)
daemon-demo-control = Administer: batpostctl --data { $data } user list
daemon-demo-stop = Ctrl-C stops the server; the mail is kept for the next start.
daemon-running = BatPost { $version } runs on { $data }.
daemon-stopped = BatPost has stopped.
daemon-init-done = { $data } is ready. Start the server with: batpostd run --data { $data }
daemon-error-initialised = { $data } holds a BatPost server already.
daemon-error-not-initialised = { $data } holds no BatPost server. Make one with: batpostd init --data { $data } --hostname NAME
daemon-error-unwritable = { $path } can't be written: { $reason }
daemon-error-locked = Another BatPost daemon is running on { $data }.
daemon-error-config = { $path } is damaged or wrong: { $reason }
daemon-error-port-occupied = { $address } is in use by another program. Stop it, or choose other ports.
daemon-error-port-forbidden = No permission to listen on { $address }: ports below 1024 need a privilege.
daemon-error-port = { $address } can't be listened on: { $reason }
daemon-error-store = The store can't be opened ({ $store }): { $reason }
daemon-error-control = The control channel can't be opened: { $reason }
daemon-error-certificate = The certificate can't be used: { $reason }
daemon-error-hostname = { $hostname } is not a valid host name.
daemon-error-start = BatPost can't start: { $reason }
daemon-error-service = The service manager can't be reached: { $reason }
