# Texts that several programs share.
#
# Glossary: mailbox (a user's store of mail), folder (a part of it), user, domain, alias, queue, session, service,
# black list and white list, sender, recipient, bounce, event. One word for one thing, everywhere.

count-messages = { $count ->
    [one] { $count } message
   *[other] { $count } messages
}
unit-b = { $number } B
unit-kb = { $number } KB
unit-mb = { $number } MB
unit-gb = { $number } GB
unit-tb = { $number } TB
