# What a check of a mailbox finds.

refusal-mailbox-database-damaged = The database of this mailbox is damaged: { $detail }
refusal-mailbox-counters-wrong = The counters of the folder { $folder } were not those of its messages.
refusal-mailbox-uids-wrong = The list of UIDs of the folder { $folder } was not that of its messages.
refusal-mailbox-references-wrong = Text { $text } was said to be used more or less often than it is.
refusal-mailbox-index-damaged = The index of texts for searches was damaged. It is made anew.
refusal-mailbox-text-lost = Text { $text } is missing, though a message needs it.
refusal-mailbox-text-damaged = Text { $text } is damaged: its checksum is wrong, or its file is missing.
refusal-mailbox-file-orphaned = The file { $file } belonged to no message.
