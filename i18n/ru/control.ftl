# Отказы канала управления.

refusal-report-goes-on = Отчёты ещё отправляются; оставшиеся видны в списке.
refusal-unavailable = Сейчас это невозможно: { $reason }. Повторите попытку позже.
refusal-message-unknown = Такого письма в очереди нет: возможно, оно уже доставлено.
refusal-message-too-large-to-show = В письме { $size } байт; здесь можно показать не больше { $max }.
refusal-host-invalid = { $host } — не узел: нужен УЗЕЛ или УЗЕЛ:ПОРТ.
refusal-answer-too-long = Ответ занял бы { $size } байт, а передать можно не больше { $max }. Запросите меньше строк за раз.
refusal-request-too-long = Запрос занимает { $size } байт, а передать можно не больше { $max }. Разделите его.
refusal-session-unknown = Сеанса { $id } нет: возможно, он уже завершён.
refusal-service-unknown = Службы { $service } нет.
refusal-port-occupied = Адрес { $address } занят другой программой. Остановите её или выберите другой порт.
refusal-port-forbidden = Нет права слушать { $address }. Для портов ниже 1024 нужны особые права.
refusal-port-unusable = Не удаётся слушать { $address }: { $reason }
refusal-folder-unknown = Такой папки нет.
refusal-folder-exists = Папка с таким именем уже есть.
refusal-folder-name-invalid = Такое имя папки недопустимо.
refusal-folder-name-reserved = Свою папку нельзя назвать { $name }: там в почтовых программах папки других.
refusal-shares-unknown = Не удалось выяснить, с кем разделены папки.
refusal-folder-fixed = Эту папку так изменить нельзя.
refusal-mailbox-damaged = Почтовый ящик повреждён: { $reason }
refusal-special-use-unknown = { $name } — не особое назначение папки. Известны: all, archive, drafts, flagged, junk, sent, trash.
refusal-right-unknown = { $right } — не право. Известны буквы l r s w i p k x t e a и слова reader, writer, editor, owner и none.
refusal-channel-unknown = Канала { $channel } нет. Известны: monitor, log, queue, changes.
refusal-protocol-version = Эта программа говорит на версии { $theirs } протокола управления, а сервер — на версии { $ours }. Установите одинаковые версии.
