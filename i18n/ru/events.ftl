# Что произошло: тексты журнала и монитора. По одному сообщению на код события.

log-unwritable = BatPost: не удалось записать журнал: { $reason }

event-imap-command-refused = Команда { $command } отклонена: { $reply }
event-pop3-command-refused = Команда { $command } отклонена: { $reply }
event-smtp-message-accepted = Письмо от <{ $sender }> принято для { $recipients ->
    [one] { $recipients } получателя
    [few] { $recipients } получателей
   *[many] { $recipients } получателей
}, { $size } байт
event-smtp-refused = { $stage } { $subject }: отказ: { $reply }
event-smtp-sender-checked = Отправитель <{ $sender }> проверен: SPF { $spf }, DKIM { $dkim }, DMARC { $dmarc }, ARC { $arc }
event-smtp-smuggling-refused = Письмо от <{ $sender }> отклонено: концы строк или конец данных не такие, как требует стандарт (попытка подлога SMTP)
event-session-opened = Открыт сеанс службы { $service }
event-session-closed = Сеанс службы { $service } закрыт ({ $reason }): принято { $bytes_in } байт, отправлено { $bytes_out } байт
event-session-refused = Сеанс службы { $service } отклонён: { $reason }
event-session-ended = Сеанс службы { $service } завершил(а) { $by }
event-tls-failed = Согласование TLS не удалось: { $reason }
event-service-changed = Служба { $service }: новое состояние — { $state } (изменил(а) { $by })
event-listening = Служба { $service } слушает { $address }
event-login-succeeded = { $user }: вход в { $service } ({ $mechanism })
event-login-failed = { $user }: неудачный вход в { $service } ({ $mechanism }): { $reason }
event-relay-denied = Отказано в пересылке для { $recipient }
event-server-started = BatPost { $version } запущен, данные: { $data }
event-server-stopping = { $reason ->
    [request] BatPost останавливается по запросу
   *[other] BatPost останавливается: { $reason }
}
event-dmarc-report-sent = Отчёт о { $messages ->
    [one] { $messages } письме
    [few] { $messages } письмах
   *[many] { $messages } письмах
} домена { $domain } отправлен на { $to } (DMARC)
event-tls-report-sent = Отчёт о { $sessions ->
    [one] { $sessions } подключении
    [few] { $sessions } подключениях
   *[many] { $sessions } подключениях
} к серверам домена { $domain }, неудачных: { $failures }, отправлен на { $to } (TLS-RPT)
event-tls-report-failed = Отчёт о подключениях к серверам домена { $domain } (TLS-RPT) не дошёл до { $to }: { $reason }
event-signing-key-unusable = Ключ { $selector } домена { $domain } не открывается: почта уходит без его подписи. Создайте новый ключ (batpostctl dkim add) или восстановите keys/secret.
event-external-message = Письмо от { $sender } забрано из { $account } для { $user }
event-external-fetched = Для { $user } из { $account } ({ $host }) { $messages ->
    [one] забрано { $messages } письмо
    [few] забрано { $messages } письма
   *[many] забрано { $messages } писем
}
event-external-failed = Почту из { $account } ({ $host }) для { $user } нельзя забрать: { $reason }
event-external-recovered = Почта из { $account } ({ $host }) для { $user } снова забирается
event-external-skipped = { $reason ->
    [too-large] Письмо { $message } из { $account } слишком велико и остаётся там ({ $user })
    [broken-off] Связь обрывается всякий раз, когда запрашивается письмо { $message } из { $account }: оно остаётся там ({ $user })
   *[loop] Письмо { $message } из { $account } ходит по кругу и остаётся там ({ $user })
}
event-external-not-expunged = { $account } ({ $user }): сервер не умеет удалять отдельные письма; в { $folder } они только помечены как удалённые
event-configuration-changed = Настройки изменены ({ $by }): { $kind } { $name } ({ $action })
event-certificate-made = Создан самоподписанный сертификат для { $host }
event-certificate-expires = Сертификат { $names } истекает через { $days ->
    [one] { $days } день
    [few] { $days } дня
   *[many] { $days } дней
}. Обновите его, иначе почтовые программы откажутся от этого сервера.
event-certificate-obtained = Сертификат для { $names } получен от { $issuer }; срок — { $days ->
    [one] { $days } день
    [few] { $days } дня
   *[many] { $days } дней
}
event-certificate-not-obtained = Сертификат для { $names } не получен: { $reason }. Следующая попытка через { $minutes ->
    [one] { $minutes } минуту
    [few] { $minutes } минуты
   *[many] { $minutes } минут
}
event-challenge-stays = Запись, которой центру подтверждалось имя, не удалось убрать из DNS: { $reason }
event-certificate-revoked = Сертификат для { $names } отозван ({ $reason }); запрашивается другой
event-renewal-advised = Центр хочет обновить сертификат для { $names } в другое время; причина: { $url }
event-account-key-changed = У учётной записи в { $directory } новый ключ
event-certificate-damaged = Сертификат не читается: { $reason }. Используется прежний; исправьте или удалите файл
event-certificate-orders-unreadable = Список сертификатов от удостоверяющего центра не читается, и ни один не обновляется: { $reason }
event-certificate-orders-put-aside = Нечитаемый список сертификатов от удостоверяющего центра сохранён как { $file }; начат новый
event-internal-fault = Внутренняя ошибка в { $place }: { $reason }
event-journal-replayed = Прошлая остановка была аварийной: повторено записей журнала: { $records }
event-store-failed = Сбой хранилища { $store }: { $reason }. Приём не подтверждается, пока оно не будет открыто заново
event-store-stopped = Сбой диска: { $reason }. Всё новое откладывается, пока диск не заработает
event-disk-full = Диск полон: не хватило места для { $path }. Новая почта откладывается, пока место не появится
event-disk-room = На диске снова есть место: для { $path } его теперь хватит
event-store-resumed = Диск снова работает после сбоя «{ $reason }»: хранилище открывается заново
event-mailbox-damaged = Почтовый ящик { $owner } повреждён: { $reason }
event-database-unavailable = База данных { $database } недоступна: { $reason }
event-events-missed = { $count ->
    [one] Не записано { $count } событие
    [few] Не записано { $count } события
   *[many] Не записано { $count } событий
}: их было больше, чем успевал принять журнал
