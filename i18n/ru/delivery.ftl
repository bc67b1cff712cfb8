# Что стало с сообщениями: события доставки и отчёты, которые получают отправители.

event-delivered-locally = Доставлено для <{ $recipient }>, папка { $folder }
event-delivered-remotely = Передано для <{ $recipient }> серверу { $host }: { $reply }
event-delivery-put-off = Доставка для <{ $recipient }> отложена: { $reason }
event-delivery-failed = Доставка для <{ $recipient }> не удалась: { $reason }
event-bounce-sent = Отчёт о сообщении { $about } отправлен на <{ $recipient }>
event-bounce-dropped = Отчёт не отправлен, потому что у сообщения нет отправителя. Получатели: { $reason }
event-vacation-answered = <{ $recipient }>: отправлен автоответ за <{ $user }>
event-host-rests = До { $host } [{ $address }] не достучаться, { $seconds } с его не беспокоим: { $reason }
event-host-slowed-down = У { $host } [{ $address }] слишком много наших подключений: отныне не больше { $connections } одновременно
event-outgoing-verified = Подключение к { $host } зашифровано, его сертификат верен ({ $by })
event-outgoing-encrypted = Подключение к { $host } зашифровано, сертификат не проверен: { $reason }
event-outgoing-plain = Подключение к { $host } не зашифровано: { $reason }
event-outgoing-converted = { $host } принимает только 7-битный текст: письмо для него перекодировано, и чужие подписи там могут не сойтись
event-outgoing-tls-refused = Серверу { $host } ничего не отправлено: подключение защищено хуже, чем требуется ({ $by }): { $reason }
event-dane-unavailable = DANE включён, но по подписям DNS ничего не доказать: { $reason }
event-sts-policy = { $domain } требует проверенных подключений к своим серверам (MTA-STS): { $hosts }
event-sts-failed = Политику { $domain } (MTA-STS) получить не удалось: { $reason }
event-queue-changed = Очередь изменена, кем: { $by }; действие: { $action }

report-from = Доставка почты
report-subject-failed = Ваше сообщение не доставлено
report-subject-delayed = Ваше сообщение задерживается
report-subject-delivered = Ваше сообщение доставлено
report-intro-failed = Ваше сообщение от { $received } не удалось доставить { $count ->
    [one] { $count } получателю
    [few] { $count } получателям
   *[many] { $count } получателям
}:
report-intro-delayed = Ваше сообщение от { $received } пока не удалось доставить { $count ->
    [one] { $count } получателю
    [few] { $count } получателям
   *[many] { $count } получателям
}:
report-intro-delivered = По вашей просьбе сообщаем, что стало с вашим сообщением от { $received } для { $count ->
    [one] { $count } получателя
    [few] { $count } получателей
   *[many] { $count } получателей
}:
report-end-failed = Новых попыток не будет. Отчёт составлен почтовым сервером { $host }.
report-end-delayed = Вам не нужно ничего делать: попытки будут продолжаться до { $until }. Отчёт составлен почтовым сервером { $host }.
report-end-delivered = Отчёт составлен почтовым сервером { $host }.
report-reason-delivered = Сообщение лежит в почтовом ящике.
report-reason-relayed = Почтовый сервер получателя принял сообщение; сам он отчётов не присылает.
report-reason-expanded = Сообщение переслано на другой адрес.
report-reason-unknown = Такого адреса нет. Проверьте, правильно ли он написан.
report-reason-no-domain = Для этого домена нет почтового сервера. Проверьте, правильно ли написана часть после @.
report-reason-takes-no-mail = Этот домен не принимает почту.
report-reason-disabled = Почтовый ящик сейчас не принимает почту.
report-reason-over-quota = Почтовый ящик переполнен.
report-reason-too-large = Сообщение слишком велико для почтового сервера получателя.
report-reason-loop = Сообщение ходило по кругу между почтовыми серверами.
report-reason-expired = Попытки продолжались, пока не истекло время доставки.
report-reason-unreachable = С почтовым сервером получателя не удалось связаться.
report-reason-international = Почтовый сервер получателя не принимает адреса с такими буквами.
report-reason-insecure = Почтовый сервер получателя не смог доказать, кто он, а этого требует его домен или здешний администратор.
report-reason-require-tls = Вы просили, чтобы сообщение было зашифровано на всём пути, а почтовый сервер получателя этого обещать не может.
report-reason-removed = Сообщение удалено администратором.
report-reason-refused = Почтовый сервер ответил:
