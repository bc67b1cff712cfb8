# The configurator.
#
# Glossary: mailbox (a user's store of mail), folder (a part of it), user, domain, alias, group, queue, session, service,
# black list and white list, entry (one line of them), sender, recipient, setting, right, notice. One word for one
# thing, everywhere.
#
# Keys that are put together in the code: setting-<key> and …-help, settings-group-<word>, refusal-<code>, channel-<name>,
# severity-<name>, service-<name> and …-help, recipient-<state>, special-<use>, right-<letter>, role-<name> and …-long,
# whom-<kind>, field-whom-<kind>, kind-<name>.

## Common

product-name = BatPost
window-title = BatPost configurator
search = Search
search-clear = Clear the search
save = Save
cancel = Cancel
close = Close
edit = Edit
delete = Delete
rename = Rename
copy = Copy
revert = Revert
discard = Discard
keep-editing = Keep editing
discard-question = Discard what was changed?
back = Back
next = Next
finish = Finish
copy-address = Copy the address
unlimited = no limit
waiting = Waiting for the server…
not-connected = Not connected to the server
not-connected-hint = The page fills as soon as the connection is there again. Nothing was lost.
list-failed = The list could not be read
nothing-found = Nothing found
nothing-found-hint = Nothing here contains “{ $name }”.
time-now = now
time-in = in { $duration }
time-ago = −{ $duration }
duration-seconds = { $count } s
duration-minutes = { $count } min
duration-hours = { $count } h
duration-days = { $count ->
    [one] { $count } day
   *[other] { $count } days
}
duration-two = { $first } { $second }
per-second = { $rate }/s
and-more = { $count ->
    [one] and { $shown } more
   *[other] and { $shown } more
}
active-of-max = { $active } of { $max }

## Command line

args-data = the data directory of the server
args-socket = the control socket or pipe of the server
args-ssh = reach the server through ssh
args-lang = the language: en or ru
args-page = the page to begin with; with :DOMAIN after users, aliases and folders

## Pages

page-monitor = Monitor
page-queue = Queue
page-log = Log
page-domains = Domains
page-users = Users
page-aliases = Aliases
page-folders = Folders
page-groups = Groups
page-public = Public folders
page-routes = Routes
page-access = Black and white lists
page-services = Services
page-settings = Settings
page-storage = Storage
page-certificates = Certificates
page-wizard = First steps
page-about = About
tree-directory = Directory
tree-policy = Policy
tree-server = Server
tree-more-domains = { $count ->
    [one] { $shown } more…
   *[other] { $shown } more…
}
users-of = Users of { $domain }
aliases-of = Aliases of { $domain }
folders-of = Folders of { $domain }

## The line at the foot

status-connected = Connected to { $name }, BatPost { $version }
status-connecting = Connecting to { $name }…
status-gone = No connection; next attempt in { $duration }
status-reconnecting = No connection; reconnecting…
status-retry = Try now
status-saving = Saving…
status-loading = Loading…
theme-system = Theme: as the system
theme-light = Theme: light
theme-dark = Theme: dark
notices = Notices
notices-none = Nothing to tell yet.
notice-reports-sent = What could be sent is on its way.
notice-saved = Saved.
notice-copied = Copied.
notice-removed = Deleted: { $name }.
notice-users-removed = { $count ->
    [one] { $count } user deleted.
   *[other] { $count } users deleted.
}
notice-messages-removed = { $count ->
    [one] { $count } message deleted.
   *[other] { $count } messages deleted.
}
notice-session-ended = Session ended: { $name }.
notice-queue-retried = { $count ->
    [one] { $count } message is being tried.
   *[other] { $count } messages are being tried.
}
notice-queue-held = { $count ->
    [one] { $count } message held.
   *[other] { $count } messages held.
}
notice-queue-released = { $count ->
    [one] { $count } message released.
   *[other] { $count } messages released.
}
notice-messages-exported = { $count ->
    [one] { $count } message saved.
   *[other] { $count } messages saved.
}
notice-exported = { $count ->
    [one] { $count } row written to the file.
   *[other] { $count } rows written to the file.
}
error-lost = The connection was lost before the server answered. Look whether the change was made, then try again.
error-unnamed = The server refused: { $code }

## Counts

count-domains = { $count ->
    [one] { $shown } domain
   *[other] { $shown } domains
}
count-users-shown = { $count ->
    [one] { $shown } user
   *[other] { $shown } users
}
count-aliases = { $count ->
    [one] { $shown } alias
   *[other] { $shown } aliases
}
count-groups = { $count ->
    [one] { $shown } group
   *[other] { $shown } groups
}
count-routes = { $count ->
    [one] { $shown } route
   *[other] { $shown } routes
}
count-entries = { $count ->
    [one] { $shown } entry
   *[other] { $shown } entries
}
count-messages-shown = { $count ->
    [one] { $shown } message
   *[other] { $shown } messages
}
count-recipients = { $count ->
    [one] { $shown } recipient
   *[other] { $shown } recipients
}
count-rows = { $count ->
    [one] { $shown } row
   *[other] { $shown } rows
}
count-sessions = { $count ->
    [one] { $shown } session
   *[other] { $shown } sessions
}

## Columns

column-address = Address
column-arrived = Arrived
column-attempts = Attempts
column-channel = Channel
column-comment = Comment
column-database = Database
column-description = Description
column-doing = State
column-domain = Domain
column-driver = Driver
column-event = Event
column-folder = Folder
column-for = For
column-group = Group
column-public = Domain or group
column-limit = Limit
column-groups = Groups
column-in = In
column-kind = Data
column-last-reply = Last reply
column-list = List
column-listeners = Listens on
column-location = Place
column-members = Members
column-message = Message
column-messages = Messages
column-name = Name
column-next-try = Next attempt
column-out = Out
column-pattern = Address, range or name
column-peer = Peer
column-recipients = Recipients
column-sender = Sender
column-service = Service
column-session = Session
column-sessions = Sessions
column-size = Size
column-state = State
column-targets = Delivered to
column-time = Time
column-total = Since the start
column-under-way = Under way
column-unseen = Unread
column-used = Used
column-user = User
column-users = Users

## States

state-held = held
state-no-password = no password
state-off = off
state-on = on
state-running = running
state-paused = paused
state-stopped = stopped
recipient-waiting = waiting
recipient-delivered = delivered
recipient-failed = failed
severity-debug = detail
severity-info = information
severity-warning = warning
severity-error = error
channel-smtp = SMTP
channel-imap = IMAP
channel-pop3 = POP3
channel-delivery = Delivery
channel-security = Security
channel-errors = Errors
channel-drivers = Databases
channel-application = Server

## Monitor and services

monitor-uptime = up for { $duration }
monitor-load = Active sessions
monitor-log = Log
figure-sessions = Sessions
figure-queue = In the queue
figure-queue-open = Open the queue
figure-accepted = Accepted
figure-delivered = Delivered
figure-traffic = Traffic
figure-memory = Memory
service-smtp = SMTP
service-smtp-help = Takes mail from other servers.
service-submission = Submission
service-submission-help = Takes mail from the people of this server, after a login.
service-lmtp = LMTP
service-lmtp-help = Takes mail from a program on this machine.
service-web = Web
service-web-help = Tells mail programs how an account is set up (autoconfig, autodiscover).
service-pop3 = POP3
service-pop3-help = Lets mail programs fetch the inbox.
service-imap = IMAP
service-imap-help = Lets mail programs work with all folders.
service-delivery = Delivery
service-delivery-help = Brings accepted mail to mailboxes and to other servers.
service-start = Start
service-pause = Pause
service-stop = Stop
service-start-named = Start { $name }
service-pause-named = Pause { $name }
service-stop-named = Stop { $name }
sessions-none = No sessions
sessions-none-hint = Nobody is connected now.
session-end = End session
session-log = Log of the session
session-tls = Encrypted

## Queue

queue-none = The queue is empty
queue-none-hint = Every accepted message is where it belongs.
queue-retry = Try now
queue-retry-all = Try all now
queue-hold = Hold
queue-release = Release
queue-next-host = Send by another host…
queue-next-host-title = Send by another host
field-next-host = Host
field-next-host-help = HOST or HOST:PORT; empty: the usual way again. The message is tried at once.
queue-export = Save to a folder…
queue-export-title = Save messages to a folder
queue-export-do = Save
queue-read = Show text
queue-mark = Mark { $name }
sender-none = message of the server itself
message-text = Message { $name }
message-cut = Only the first { $size } are shown; saved to a folder, the message is whole.
count-attempts = { $count ->
    [0] Not tried yet
    [one] { $count } attempt
   *[other] { $count } attempts
}
attempts-next = , the next { $when }

## Log

log-open = Open the log
log-export = Export…
log-export-do = Export
log-pause = Pause
log-follow = Follow
log-of-session = Session { $id }
log-of-message = Message { $id }
log-only-session = Only this session
log-only-message = Only this message
log-fields = Details
log-none = Nothing happened yet
log-none-hint = Events appear here as they happen.
log-nothing-hint = No stored event passes the filter.

## Domains

domain-add = New domain
domain-edit = Domain { $name }
domain-open-users = Open users
domains-none = No domains yet
domains-none-hint = Add the first one, or let “First steps” lead you.

## Users

user-add = New user
user-edit = User { $name }
users-none = No users yet
users-none-hint = A user has an address and a mailbox of this domain.
quota-of-domain = as the domain says
denied-none = nothing
password-set = set
password-not-set = not set
password-unchanged = unchanged
reports = Reports to domains
reports-send = Send now
reports-none = No report waits.
reports-dmarc = { $name }: { $count ->
    [one] { $count } message
   *[other] { $count } messages
} (DMARC)
reports-tls = { $name }: { $count ->
    [one] { $count } connection
   *[other] { $count } connections
} (TLS-RPT)
dkim = Signing (DKIM)
dkim-add = New key
dkim-title = Key of { $name }
dkim-remove = Delete the key { $name }
dkim-enable = Sign with { $name }
dkim-disable = Do not sign with { $name }
dkim-sign = Sign
dkim-sign-no-more = Stop signing
dkim-copy-name = Copy the name of the TXT record
dkim-copy-record = Copy the text of the TXT record
app-passwords = App passwords
app-password-add = New app password
app-password-title = App password of { $name }
app-password-make = Make
app-password-made = App password “{ $name }”
app-password-made-text = Enter it in the program as it is written, hyphens included. It is shown only this once: close this window when it has been entered.
app-password-remove = Delete the app password { $name }
app-password-used = last used { $name }
app-password-unused = never used
user-certificates = Client certificates
user-certificate-add = New certificate
user-certificate-title = Certificate of { $name }
user-certificate-remove = Delete the certificate { $name }

## Aliases and groups

alias-add = New alias
alias-edit = Alias { $name }
aliases-none = No aliases yet
aliases-none-hint = An alias is an address whose mail goes to others.
group-add = New group
group-edit = Group { $name }
groups-none = No groups yet
groups-none-hint = A group is given rights on folders, and can have an address of its own.

## Routes

route-add = New route
route-edit = Route { $name }
route-test = Where would mail go?
route-test-do = Show
route-test-of = Mail for { $name }
field-test-to = Recipient
field-test-from = Sender
field-test-from-help = Empty: a bounce.
routes-none = No routes
routes-none-hint = All outgoing mail goes through the smarthost of the settings, or straight to the hosts of the recipients’ domains.
route-all = all
route-direct = those of the domain
route-tls-none = never
route-tls-opportunistic = if offered
route-tls-verified = verified certificate
route-tls-dane = DANE
route-protocol-smtp = SMTP
route-protocol-lmtp = LMTP
column-place = Place
column-route-to = Recipients
column-route-from = Senders
column-route-hosts = Hosts
field-route-name = Name
field-route-place = Place
field-route-place-help = Lower places are asked first.
field-route-to = Recipients
field-route-to-help = Domains, *.domain, addresses. Empty: all.
field-route-from = Senders
field-route-from-help = Likewise; <> is the sender of bounces. Empty: all.
field-route-hosts = Hosts
field-route-hosts-help = Tried in this order: host, host:port or mx:domain. Empty: those of the recipient’s domain.
field-route-tls = Encryption
field-route-protocol = Protocol
field-route-user = Login
field-route-enabled = In use

## Black and white lists

entry-add = New entry
access-none = Both lists are empty
access-none-hint = Addresses, ranges, host names and mail addresses that are always allowed, or never. White wins over black.
access-both = Both lists
access-white = White list
access-black = Black list
side-allow = white
side-block = black

## Folders and rights

folder-add = New folder
folder-rename = Rename folder { $name }
folders-choose = Choose a user
folders-choose-hint = The user’s folders and the rights on them appear here.
public-none = No public folders yet
public-none-hint = They belong to a domain or a group instead of a user; mail programs show them below Public.
public-choose = Choose a domain or a group
public-choose-hint = Its public folders and the rights on them appear here.
public-root = Folders made later get these rights.
tree-add = New public folders
tree-edit = Public folders of { $name }
tree-limit = Limit
tree-remove = Remove all
tree-of-domain = domain
tree-of-group = group
folder-rights = Rights
folder-rights-none = Nobody but the owner.
folder-rights-nobody = Nobody.
rights-title = Rights on { $name }
rights-add = Give rights
rights-edit = Rights of { $name }
rights-of-group = Group { $name }
rights-of-domain = All users of { $name }
rights-of-anyone = Everyone
rights-denied = Never: { $name }
rights-none-left = All rights of { $name } are taken away.
role-reader-long = Reader: reads and marks as read
role-writer-long = Writer: also sets flags and adds messages
role-editor-long = Editor: also deletes messages, makes and deletes folders
role-owner-long = Owner: also gives rights to others
role-none = Nothing: the rights are taken away
role-own = Own choice
whom-user = User
whom-group = Group
whom-domain = All of a domain
whom-anyone = Everyone
right-l = sees the folder
right-r = reads messages
right-s = marks messages as read
right-w = changes flags and keywords
right-i = adds messages
right-p = may write to the folder by mail
right-k = makes folders in it
right-x = deletes the folder
right-t = marks messages as deleted
right-e = removes deleted messages
right-a = gives rights to others
special-none = ordinary folder
special-archive = archive
special-drafts = drafts
special-flagged = flagged
special-junk = junk
special-sent = sent
special-trash = trash
special-all = all mail
special-important = important

## Fields

field-hostname = Server name
field-hostname-help = The full name under which the server is found in DNS.
field-domain = Domain
field-domain-help = What stands after the @ in the addresses.
field-description = Description
field-domain-aliases = Other names of the domain
field-domain-aliases-help = One a line. Every address of the domain is reached under them too.
field-catch-all = Mail for unknown addresses goes to
field-catch-all-help = Empty: such mail is refused.
field-user-quota = Quota of each user
field-quota-help = For example 500 MB or 2 GB.
field-users-max = At most users
field-domain-enabled = The domain takes mail and logins
field-mechanisms = How its users may log in
field-mechanisms-standard = The usual ways
field-local = Address
field-name = Name
field-password = Password
field-new-password = New password
field-algorithm = Algorithm
field-algorithm-help = RSA is understood everywhere. Ed25519 can be a second key.
field-selector = Selector
field-selector-help = What tells the domain's keys apart in DNS. Empty: one is chosen.
field-private-key = Own key
field-private-key-help = A private key in PEM that was made elsewhere. Empty: a new one is made.
field-label = What it is for
field-label-help = The program or device, for example “Phone”.
field-opens = Opens only (nothing ticked: everything the user may use)
field-certificate = Certificate
field-certificate-help = The text of the certificate (PEM), or its SHA-256 fingerprint. The setting “Ask for client certificates” must be on.
field-host-names = Host names
field-host-names-help = With commas between, or one to a line. The authority is the one that the settings name; it looks whether the names lead here. The certificate is renewed by itself.
field-pem = Certificate, chain and key
field-pem-help = In PEM, one after the other, in any order.
field-again = Password again
field-quota = Quota
field-groups-help = Names of groups, one a line.
field-forward = Copies go to
field-forward-help = Addresses, one a line.
field-forward-keep = Keep a copy here
field-language = Language of the server's messages
field-language-help = Bounces, warnings about delays and other mail that the server itself writes.
language-of-server = that of the server
language-of-domain = that of the domain
field-send-as = May also send as
field-send-as-help = Addresses, @domain or *, one a line. Own addresses, aliases and groups need not be named.
vacation = Answer while away…
vacation-title = Answer while { $name } is away
vacation-fact = Away: people are answered
field-vacation-enabled = Answer people who write
field-vacation-starts = From (empty: at once)
field-vacation-ends = Last day (empty: until switched off)
field-vacation-subject = Subject
field-vacation-subject-help = Empty: “Auto:” and the subject of the message.
field-vacation-text = Text
field-vacation-days = Days
field-vacation-days-help = Nobody is answered twice within so many days.
field-allowed = May use
field-denied = May not use
field-user-enabled = The user may log in and gets mail
field-targets-help = Addresses here or elsewhere, one a line.
field-alias-enabled = The alias takes mail
field-group-address = Address of the group
field-group-address-help = Mail to it goes to every member. Empty: the group gets no mail.
field-members = Members
field-members-help = Addresses of users, one a line.
field-member-groups = Groups in this group
field-side = List
field-side-help = White wins over black; both come before rules.
field-pattern-help = An IP address, a range, a host name such as *.example.com, or a mail address.
field-folder-help = A slash puts it into another folder: Work/Reports.
field-special-use = Used for
field-tree = Domain or group
field-tree-help = Users of a domain may read, members of a group may edit; change it on the first folder.
field-tree-quota = Limit for all these folders
field-identifier = Who
field-whom-user = Address
field-whom-group = Name of the group
field-whom-domain = Domain
field-denied-rights = Deny these rights, whoever else gives them
field-role = May
field-letters = In detail
field-export-folder = Folder
field-export-folder-help = Each message becomes two files: its text (.eml) and what the queue knows of it (.json).
field-path = File
field-path-help = A name that ends in .jsonl gives JSON lines, any other text. An existing file is replaced.

## Questions

ask-domain = Delete the domain?
ask-domain-text = { $count ->
    [one] { $name } has { $count } user.
   *[other] { $name } has { $count } users.
}
ask-domain-users = Delete its users and their mail as well
ask-user = { $count ->
    [one] Delete the user?
   *[other] Delete { $count } users?
}
ask-user-text = { $name } will no longer get mail or log in.
ask-user-keep-mail = Keep the mailbox on the disk
ask-alias = Delete the alias?
ask-alias-text = Mail to { $name } will be refused.
ask-group = Delete the group?
ask-group-text = { $name } loses its members and its rights on folders.
ask-tree = Delete the public folders?
ask-tree-text = All public folders of { $name } and all messages in them will be gone for good.
ask-route = Delete the route?
ask-route-text = Mail that took the route { $name } will take the next one that fits, or the usual way.
ask-entry = Delete the entry?
ask-entry-text = { $name } will be treated like everyone else.
ask-folder = Delete the folder?
ask-folder-text = { $name } and all messages in it will be gone for good.
ask-reports = Send the reports now?
ask-reports-text = Domains that wish so are told which mail in their name came here (DMARC) and how connections to their hosts were secured (TLS-RPT). Where it is switched on in the settings, it happens by itself once a day.
ask-dkim-remove = Delete the key?
ask-dkim-remove-text = The key { $name } will be gone for good. Mail that it has signed can be checked as long as its record stands in DNS.
ask-dkim-enable = Sign with the key?
ask-dkim-enable-text = Others can check what { $name } signs only if its TXT record stands in DNS. Publish the record first.
ask-dkim-disable = Stop signing with the key?
ask-dkim-disable-text = Mail will no longer be signed with { $name }. Leave its record in DNS for some days: mail may still be on its way.
ask-app-password = Delete the app password?
ask-app-password-text = The program or device that uses the app password “{ $name }” can't log in with it any more.
ask-forget = Stop renewing the certificate?
ask-forget-text = The certificate of { $name } stays until its end and is not renewed.
ask-certificate = Delete the certificate?
ask-certificate-text = Nobody can log in by the certificate { $name } any more.
ask-revoke = Revoke the certificate?
ask-revoke-text = The authority will declare that the certificate of { $name } is no longer to be believed. The server asks for another one at once.
ask-account-key = Change the key of the account?
ask-account-key-text = The account at the authority gets a new key; the old one is worth nothing afterwards. Certificates stay as they are.
ask-server-certificate = Delete the certificate?
ask-server-certificate-text = The certificate { $name } and its key will be gone for good. Its names get another one that is at hand.
ask-messages = { $count ->
    [one] Delete the message?
   *[other] Delete { $count } messages?
}
ask-messages-text = { $count ->
    [one] It will not be delivered.
   *[other] They will not be delivered.
}
ask-messages-bounce = Tell the sender that it was not delivered
ask-session = End the session?
ask-session-text = { $name } is disconnected at once; the program may connect again.
ask-stop = Stop { $name }?
ask-stop-text = { $name }: its sessions end and its ports are closed until it is started again.
conflict = Somebody else changed this while you were editing it. Nothing of yours was saved.
conflict-theirs = Show the newest
conflict-mine = Save mine anyway

## Settings

settings-changed = { $count ->
    [one] { $shown } changed
   *[other] { $shown } changed
}
settings-conflict = Somebody else changed settings meanwhile. The newest values are shown; what you typed is kept. Save again if it still holds.
setting-default = { $now }; if never set: { $default }
settings-group-server = Server
settings-group-smtp = SMTP
settings-group-submission = Submission
settings-group-lmtp = LMTP
settings-group-web = Web
settings-group-mta-sts = MTA-STS
settings-group-imap = IMAP
settings-group-pop3 = POP3
settings-group-net = Connections
settings-group-forward = Forwarding
settings-group-dmarc = Reports (DMARC)
settings-group-tls-report = Reports (TLS-RPT)
settings-group-tls = TLS
settings-group-acme = Certificates from an authority (ACME)
settings-group-oauth = Identity provider
settings-group-fetch = External accounts
settings-group-outgoing = Outgoing mail
settings-group-queue = Queue
settings-group-log = Log
setting-server-hostname = Server name
setting-server-hostname-help = The name by which the server calls itself to others; it should be in DNS.
setting-server-language = Language
setting-server-language-help = The language of messages that the server itself writes.
setting-server-own-networks = Own networks
setting-server-own-networks-help = Addresses and ranges that are free of limits and delays, with commas between.
setting-server-postmaster = Postmaster
setting-server-postmaster-help = The address that gets mail about the server. Empty: nobody.
setting-smtp-message-size-max = Largest message
setting-smtp-message-size-max-help = A larger one is refused while it is being sent.
setting-smtp-recipients-max = Recipients of a message
setting-smtp-recipients-max-help = At most so many in one transaction.
setting-smtp-sender-checks = Check senders
setting-smtp-sender-checks-help = Whether mail from outside on port 25 is checked by SPF, DKIM, DMARC and ARC. The results stand in the field Authentication-Results and are known to rules; nothing is refused because of them alone.
setting-smtp-sender-checks-own = Check own networks too
setting-smtp-sender-checks-own-help = Otherwise this computer and the networks named as own are exempt.
setting-smtp-sender-checks-timeout = Time for checking senders
setting-smtp-sender-checks-timeout-help = Longest wait for DNS in all. What is not answered by then is a temporary error, and the message is taken.
setting-smtp-errors-max = Errors in a session
setting-smtp-errors-max-help = After so many the session is ended.
setting-smtp-commands-max = Commands without a message
setting-smtp-commands-max-help = After so many commands since the last message that lead to none (NOOP, RSET, MAIL …) the session is ended.
setting-smtp-patience = Time without a message
setting-smtp-patience-help = A session that talks for so long without sending a message is ended.
setting-smtp-verify = Answer VRFY and EXPN
setting-smtp-verify-help = Tells users who have logged in whether an address exists and where it leads. Others never hear it.
setting-submission-check-from = Check From
setting-submission-check-from-help = A user's message must show a From address that the user may send with: own addresses, those of aliases and groups, and what is allowed by name.
setting-smtp-timeout = Waiting for a command
setting-smtp-timeout-help = Seconds until a silent peer is disconnected.
setting-smtp-sessions-max = Sessions
setting-smtp-sessions-max-help = At most so many at once.
setting-submission-sessions-max = Sessions
setting-submission-sessions-max-help = At most so many at once.
setting-lmtp-sessions-max = Sessions
setting-lmtp-sessions-max-help = At most so many at once.
setting-web-sessions-max = Connections
setting-web-sessions-max-help = At most so many at once.
setting-mta-sts-publish = Publish MTA-STS
setting-mta-sts-publish-help = Tells other servers that mail for the domains here comes by verified TLS only. Needs the web's ports, a certificate for mta-sts.DOMAIN and records in DNS.
setting-imap-sessions-max = Sessions
setting-imap-sessions-max-help = At most so many at once.
setting-imap-timeout = Waiting for a command
setting-imap-timeout-help = Seconds until a silent mail program is disconnected.
setting-imap-capabilities-off = Capabilities not offered
setting-imap-capabilities-off-help = For mail programs or users that don't get on with them: client NAME: QRESYNC; user ADDRESS: COMPRESS. An asterisk stands for any text.
setting-imap-index = Index for searches
setting-imap-index-help = Searches in texts are answered from an index, built in the background. Without it each of them reads all mail.
setting-pop3-sessions-max = Sessions
setting-pop3-sessions-max-help = At most so many at once.
setting-pop3-timeout = Waiting for a command
setting-pop3-timeout-help = Seconds until a silent mail program is disconnected.
setting-pop3-login-delay = Pause between logins
setting-pop3-login-delay-help = Seconds that must lie between two logins of one user. 0: none.
setting-tls-client-certificates = Ask for client certificates
setting-tls-client-certificates-help = Mail programs may show a certificate and log in by it (EXTERNAL): one that is registered at a user, or one of an authority in tls/clients/ that names the user's address.
setting-acme-directory = Authority
setting-acme-directory-help = The address of its directory (ACME), for example https://acme-v02.api.letsencrypt.org/directory. Empty: certificates are not asked for, nor renewed.
setting-acme-agree-terms = Terms of service agreed to
setting-acme-agree-terms-help = I have read the authority's terms of service and agree to them.
setting-acme-contact = Contact
setting-acme-contact-help = Mail addresses that the authority may write to, with commas between.
setting-acme-challenge = Proof
setting-acme-challenge-help = How the authority is shown that a name is ours: http-01 on port 80, tls-alpn-01 on port 443, dns-01 by a record in the DNS. Names with * need dns-01.
setting-acme-dns-command = Program for the DNS
setting-acme-dns-command-help = For dns-01: it is called with add or remove, the record's name and the text of the TXT record.
setting-acme-dns-wait = Waiting for the DNS
setting-acme-dns-wait-help = Seconds that the record is waited for until the authority is asked to look.
setting-acme-external-account = External account
setting-acme-external-account-help = The key's name, if the authority asks for an account made beforehand; its HMAC key lies alone in keys/acme in the data directory.
setting-acme-authority = Roots of the authority
setting-acme-authority-help = A file in PEM that vouches for the authority's own address, for one inside the house. Empty: the machine's roots do.
setting-oauth-issuer = Identity provider
setting-oauth-issuer-help = The issuer of tokens, exactly as they name it, for example https://id.example.org. Empty: no tokens are taken (OAUTHBEARER, XOAUTH2).
setting-oauth-audience = Audience of tokens
setting-oauth-audience-help = Only tokens made for this audience are taken. Empty: for any.
setting-oauth-user-claim = Claim that names the user
setting-oauth-user-claim-help = The field of a token with the user's address.
setting-oauth-keys = Keys of the identity provider
setting-oauth-keys-help = Where its JWKS lies: an address of the web (https) or a file. Signed tokens are checked with them.
setting-oauth-introspection-url = Introspection
setting-oauth-introspection-url-help = Tokens that are not signed, or all if there are no keys, are shown to this address (RFC 7662).
setting-oauth-client-id = This server at the identity provider
setting-oauth-client-id-help = The client's name for the introspection; its password lies alone in keys/oauth in the data directory.
setting-pop3-expire-days = Mail is kept for, days
setting-pop3-expire-days-help = Only told to mail programs; the server removes nothing by itself. 0: for ever.
setting-pop3-implementation = Name of the server
setting-pop3-implementation-help = What mail programs are told. Empty: nothing.
setting-net-proxies = Proxies
setting-net-proxies-help = Addresses and networks of load balancers that say by the PROXY protocol (version 1 or 2) for whom they connect. Their connections must begin with it.
setting-net-sessions-per-address-max = Sessions from one address
setting-net-sessions-per-address-max-help = Over all services.
setting-fetch-concurrency = External accounts visited at once
setting-fetch-concurrency-help = Others wait until one of these visits is over.
setting-outgoing-smarthost = Smarthost
setting-outgoing-smarthost-help = All outgoing mail goes through this host. Empty: straight to the recipients’ servers.
setting-outgoing-smarthost-user = Login at the smarthost
setting-outgoing-smarthost-user-help = Empty: without a login.
setting-outgoing-port = Port
setting-outgoing-port-help = Port of other servers, or of the smarthost.
setting-outgoing-concurrency = Outgoing connections
setting-outgoing-concurrency-help = At most so many at once.
setting-outgoing-host-concurrency = Connections to one host
setting-outgoing-host-concurrency-help = At most so many at once, so that a slow host does not take all. A host that has enough of us gets fewer.
setting-outgoing-host-rate = Messages a minute to one host
setting-outgoing-host-rate-help = 0: as many as there are.
setting-outgoing-keep-time = Keep connections for
setting-outgoing-keep-time-help = How long a connection waits for the next message to the same host. 0: it is closed at once.
setting-outgoing-keep-messages = Messages over one connection
setting-outgoing-keep-messages-help = After so many a new connection is made.
setting-outgoing-rest-first = First rest of a host
setting-outgoing-rest-first-help = A host that can't be reached is left alone for so long, and twice as long each further time.
setting-outgoing-rest-max = Longest rest of a host
setting-outgoing-rest-max-help = However often it could not be reached.
setting-outgoing-mta-sts = Obey MTA-STS
setting-outgoing-mta-sts-help = Domains that publish such a policy get mail over verified connections only.
setting-outgoing-dane = Obey DANE
setting-outgoing-dane-help = Hosts whose certificates are named in signed records of the DNS get mail over verified connections only. The name servers must hand signatures on.
setting-forward-srs = Own sender address for forwarded mail (SRS)
setting-forward-srs-help = Mail that an alias or a user forwards elsewhere leaves with an address of this server that leads back to the sender. Without it others take such mail for forged (SPF).
setting-tls-report-send = Send reports on connections
setting-tls-report-send-help = Once a day, domains that wish so are told how connections to their hosts were secured, and why not (TLS-RPT).
setting-dmarc-reports = Send reports
setting-dmarc-reports-help = Once a day, domains that wish so are told which mail in their name came here and how its checks ended.
setting-dmarc-organization = Organization in reports
setting-dmarc-organization-help = Who reports, in reports on mail (DMARC) and on connections (TLS-RPT). Empty: the name of the server.
setting-dmarc-contact = Contact in reports
setting-dmarc-contact-help = The address that reports come from; mail of its domain must be signed (DKIM). Empty: that of the postmaster.
setting-queue-lifetime = Giving up after
setting-queue-lifetime-help = Seconds after which an undelivered message goes back to its sender.
setting-queue-warn-after = Warn of delays after
setting-queue-warn-after-help = The sender is told once that the message is still under way. 0: never.
setting-queue-retry-first = First pause
setting-queue-retry-first-help = Seconds until the second attempt; each pause is longer than the one before.
setting-queue-retry-max = Longest pause
setting-queue-retry-max-help = Seconds between attempts at most.
setting-log-keep-days = Days to keep
setting-log-keep-days-help = Older events are deleted.

## Storage

storage-drivers = Drivers of this server:
storage-check = Check the mailboxes
storage-checking = Checking…
storage-repair = Repair
certificate-add = New certificate of the server
certificate-obtain = Certificate from an authority
certificate-obtain-do = Get it
certificate-reload = Read the folder anew
certificate-remove = Delete the certificate { $name }
certificate-issuer = Issued by
certificate-end = Valid until
certificate-served = Served for
certificate-served-never = nobody: another one is better for its names
certificate-default = all other names
certificate-self-signed = self-signed
certificate-ended = has ended
certificate-ends-soon = { $days ->
    [one] ends in { $days } day
   *[other] ends in { $days } days
}
order-title = Renewed by itself: { $name }
order-working = being asked for
order-failed = not obtained
order-again = Ask for { $name } now
order-revoke = Revoke
order-revoke-one = Revoke the certificate of { $name }
account-key = New account key
account-key-change = Change the key
order-forget = Stop renewing
order-forget-one = Stop renewing { $name }
order-next-try = Next try
order-reason = Why it failed
notice-forgotten = { $name } is not renewed any more.
notice-revoked = The certificate of { $name } is revoked; another one is asked for.
notice-account-key = The account at the authority has a new key.
notice-certificates-reloaded = The certificates were read anew.
storage-checked = { $problems ->
    [0] { $mailboxes } mailboxes and { $messages } messages checked: everything is in order.
    [one] { $mailboxes } mailboxes and { $messages } messages checked: { $problems } problem.
   *[other] { $mailboxes } mailboxes and { $messages } messages checked: { $problems } problems.
}
problem-repaired = repaired
problem-open = not repaired
kind-settings = Settings
kind-domains = Domains
kind-users = Users
kind-groups = Groups
kind-aliases = Aliases
kind-folders = Folders
kind-messages = Messages
kind-rules = Rules
kind-lists = Mailing lists
kind-access = Black and white lists
kind-queue = Queue
kind-logs = Log
kind-log = Log

## First steps

wizard-server = Server name
wizard-server-text = Other servers know this one by its name. Take a name that is, or will be, in DNS and points to this machine.
wizard-domain = First domain
wizard-domain-text = The domain of your addresses. More can be added later.
wizard-mailbox = First mailbox
wizard-mailbox-text = With this address and password a mail program can log in at once.
wizard-records = DNS records
wizard-records-text = Publish these records where your domain is managed. Until then other servers won’t find this one.
wizard-ports = Ports
wizard-ports-text = These ports must be open in the firewall and, behind a router, be forwarded to this machine.
wizard-copy-all = Copy all
copy-record = Copy the { $kind } record of { $name }
dns-your-address = the public IP address of this machine
wizard-ptr = Ask your provider for a reverse record (PTR) of the IP address that gives the server name: many servers refuse mail without it.
dns-why-a = The address of the server.
dns-why-mx = Where mail of the domain goes.
dns-why-spf = Who may send in the name of the domain: only this server.
dns-why-dmarc = What others do with mail that fails the check, and where they report it.
dns-why-tls-report = Where others report that they can't reach the server securely.
dns-why-imaps = Lets mail programs find IMAP by themselves.
dns-why-submissions = Lets mail programs find where to send.
wizard-port = port { $ports }
wizard-listens = listens on { $addresses }
wizard-listens-not = does not run
port-why-smtp = Mail from other servers comes in here.
port-why-submission = Mail programs send through it.
port-why-imap = Mail programs read through it.
port-why-pop3 = Needed only by programs that fetch with POP3.
wizard-port25 = Many providers block outgoing port 25. If mail to others stays in the queue with a timeout, ask yours to open it, or set a smarthost in the settings.

## About

about-what = Mail server for your own machine
about-version = Version of this program
about-server = Server
about-server-version = Version of the server
about-protocol = Control protocol
about-target = Connected through
about-licence = Licence
about-fonts = Fonts
about-fonts-text = Inter (SIL Open Font License 1.1), Material Symbols (Apache License 2.0)
about-keys = Keys
about-keys-text = Ctrl+F search, F5 read anew, arrows and Enter in lists, Enter and Escape in dialogs

## Refusals of forms

refusal-field-required = This is needed.
refusal-size-invalid = “{ $value }” is not a size. Write, for example, 500 MB.
refusal-number-invalid = “{ $value }” is not a whole number.
refusal-other = { $text }

page-external = External accounts
count-external = { $count ->
    [one] { $shown } account
   *[other] { $shown } accounts
}
external-none = No external accounts
external-none-hint = Mail that lies in mailboxes of other providers is fetched into the mailboxes of your users.
external-add = New account
external-edit = Account { $name }
external-fetch = Fetch now
external-test = Test
external-server = Server
external-last = Last visit
external-next = Next visit
external-never = never
external-result = Result
external-fetched = Messages fetched
external-skipped = Messages left out
external-running = fetching
external-fails = fails
external-after-keep = stays
external-after-delete = is deleted
external-after-days = is deleted after some days
external-after-in-days = { $count ->
    [one] is deleted after a day
   *[other] is deleted after { $count } days
}
external-protocol-pop3 = POP3
external-protocol-imap = IMAP
external-security-tls = TLS
external-security-starttls = STARTTLS
external-security-none = no encryption
external-mechanism-auto = the best that both know
external-mechanism-scram = SCRAM-SHA-256
external-mechanism-cram = CRAM-MD5
external-mechanism-plain = PLAIN
external-mechanism-apop = APOP (POP3)
external-mechanism-login = name and password
field-external-user = User
field-external-name = Name
field-external-host = Server
field-external-port = Port
field-external-login = Login
field-external-mechanism = Way to log in
field-external-certificate = Certificate
field-external-certificate-help = Empty: it is verified. Or the SHA-256 fingerprint of the one that is right; any: it is not looked at.
field-external-folders = Folders to fetch
field-external-folders-help = One a line. Empty: INBOX.
field-external-into = Into the folder
field-external-into-help = Empty: as any mail to the user.
field-external-interval = Minutes between visits
field-external-after = Fetched mail over there
field-external-days = Days
field-external-mark-seen = Mark as seen over there
field-external-enabled = Visited by itself
ask-external = Delete the account?
ask-external-text = Mail is no longer fetched from { $name }. What was fetched stays.
notice-external-fetching = The mail is being fetched.
notice-external-tested = { $server } lets the user in: { $mechanism }, { $tls }, { $count ->
    [one] { $count } message
   *[other] { $count } messages
}.
