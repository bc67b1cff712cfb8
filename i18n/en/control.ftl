# Refusals of the control channel.

refusal-report-goes-on = Reports are still being sent; those that are left can be seen in the list.
refusal-unavailable = This can't be done now: { $reason }. Try again later.
refusal-message-unknown = There is no such message in the queue: it may have been delivered by now.
refusal-message-too-large-to-show = The message has { $size } bytes; at most { $max } can be shown here.
refusal-host-invalid = { $host } is not a host: write HOST or HOST:PORT.
refusal-answer-too-long = The answer would have { $size } bytes, and at most { $max } can be sent. Ask for fewer rows at a time.
refusal-request-too-long = The request has { $size } bytes, and at most { $max } can be sent. Divide it.
refusal-session-unknown = There is no session { $id }: it may have ended by now.
refusal-service-unknown = There is no service { $service }.
refusal-port-occupied = { $address } is in use by another program. Stop it or choose another port.
refusal-port-forbidden = No permission to listen on { $address }. Ports below 1024 need a privilege.
refusal-port-unusable = { $address } can't be listened on: { $reason }
refusal-folder-unknown = There is no such folder.
refusal-folder-exists = A folder of that name exists already.
refusal-folder-name-invalid = This is no valid name for a folder.
refusal-folder-name-reserved = No own folder can be named { $name }: in mail programs the folders of others are there.
refusal-shares-unknown = It could not be found out with whom folders are shared.
refusal-folder-fixed = This folder can't be changed so.
refusal-mailbox-damaged = The mailbox is damaged: { $reason }
refusal-special-use-unknown = { $name } is no special use of a folder. Known are: all, archive, drafts, flagged, junk, sent, trash.
refusal-right-unknown = { $right } is no right. Known are the letters l r s w i p k x t e a and the words reader, writer, editor, owner and none.
refusal-channel-unknown = There is no channel { $channel }. Known are: monitor, log, queue, changes.
refusal-protocol-version = This program speaks version { $theirs } of the control protocol, the daemon version { $ours }. Install the same version of both.
