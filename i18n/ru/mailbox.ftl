# Что находит проверка почтового ящика.

refusal-mailbox-database-damaged = База данных этого ящика повреждена: { $detail }
refusal-mailbox-counters-wrong = Счётчики папки { $folder } не совпадали с её сообщениями.
refusal-mailbox-uids-wrong = Список UID папки { $folder } не совпадал с её сообщениями.
refusal-mailbox-references-wrong = Число ссылок на текст { $text } не совпадало с действительным.
refusal-mailbox-index-damaged = Указатель текстов для поиска был повреждён. Он строится заново.
refusal-mailbox-text-lost = Текст { $text } отсутствует, хотя он нужен сообщению.
refusal-mailbox-text-damaged = Текст { $text } повреждён: контрольная сумма не сходится, или файла нет.
refusal-mailbox-file-orphaned = Файл { $file } не относился ни к одному сообщению.
