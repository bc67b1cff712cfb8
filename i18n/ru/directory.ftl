# Почему отклонено изменение каталога или настройки.

refusal-revision-stale = { $name }: запись тем временем изменил кто-то другой. Посмотрите, какова она сейчас, и измените её снова.
refusal-table-read-only = { $name }: запись находится в вашей таблице, которую BatPost может только читать. Измените её там.
refusal-text-invalid = Текст слишком длинный или содержит символы, которые нельзя показать.
refusal-too-many = Слишком много записей: допустимо не более { $max }.

refusal-address-invalid = { $address } — не почтовый адрес. Адрес выглядит так: user@example.org.
refusal-domain-invalid = { $domain } — недопустимое имя домена.
refusal-setting-invalid = { $value } — недопустимое значение настройки { $setting }.
refusal-setting-out-of-range = { $value } — вне допустимых пределов настройки { $setting }: от { $min } до { $max }.
refusal-network-invalid = «{ $network }» — не адрес и не сеть. Пишите 192.0.2.7, 192.0.2.0/24 или 192.0.2.1-192.0.2.9, между ними — запятая.
refusal-capability-rule-invalid = «{ $rule }» — не правило. Пишите client ИМЯ: ВОЗМОЖНОСТЬ или user АДРЕС: ВОЗМОЖНОСТЬ, между правилами — точка с запятой. IMAP4rev1, STARTTLS и AUTH отключить нельзя.
refusal-setting-unknown = Настройки { $setting } нет.

refusal-domain-exists = Домен { $name } уже есть; возможно, это другое имя одного из доменов.
refusal-domain-unknown = Домена { $name } здесь нет. Сначала добавьте его.
refusal-domain-not-empty = В домене { $name } ещё есть пользователи ({ $users }). Сначала удалите их или удалите домен вместе с пользователями.
refusal-domain-full = В домене { $name } может быть пользователей не больше чем { $max }.
refusal-mechanism-unknown = { $name } — такого способа входа этот сервер не знает.

# Чем способ входа грозит безопасности. Показывают командная строка и конфигуратор.
mechanism-scram-sha-256 = Самый безопасный из способов с паролем: пароль не передаётся, хранимое на сервере больше нигде не годится, а -PLUS связывает вход с его соединением TLS.
mechanism-external = Сертификаты клиентов: нечего подобрать и нечего подслушать. Только там, где сертификаты спрашивают (tls.client-certificates).
mechanism-oauthbearer = Токен вашего поставщика учётных записей: пароль через этот сервер не проходит, а поставщик может спросить второй фактор. У кого токен, тот и пользователь, пока он не истёк. Только если поставщик задан (oauth.issuer).
mechanism-xoauth2 = То же, что OAUTHBEARER, в более старом виде: для Outlook и старых Thunderbird.
mechanism-scram-sha-1 = На деле так же безопасен, как SCRAM-SHA-256, но хеш старее.
mechanism-plain = Передаёт пароль, поэтому только под TLS. Сервер узнаёт его на мгновение и хранит самый стойкий хеш. Сюда же относятся LOGIN в IMAP, USER и PASS в POP3.
mechanism-login = То же, что PLAIN, в более старом виде: для Outlook и многих принтеров. Только под TLS.
mechanism-digest-md5 = Для очень старых программ. Пароль не передаётся, но подслушавший может перебирать пароли с огромной скоростью, а хранимым на сервере можно войти этим способом.
mechanism-cram-md5 = Как DIGEST-MD5, и к тому же не доказывает, что сервер — тот самый.
mechanism-ntlm = Внимание: то, что серверу придётся хранить, — почти сам пароль: кто это получит, сможет войти с ним здесь и на любом сервере Windows, где у пользователя тот же пароль, и перебирать пароли с наибольшей возможной скоростью. Перебирать сможет и подслушавший, а стоящий посередине — переслать вход дальше. Для программ, которые ничего другого не умеют; только NTLMv2.
mechanism-apop = Внимание: серверу придётся хранить сами пароли, зашифрованные его ключом. Кто получит каталог данных, получит их все. Подслушавший может перебирать пароли с огромной скоростью. Только POP3, для программ, которые ничего другого не умеют.

refusal-user-exists = Пользователь { $name } уже есть.
refusal-user-unknown = Пользователя { $name } нет.
refusal-identifier-unknown = { $name } — не пользователь, не группа ($имя), не домен этого сервера (@имя) и не «anyone».
refusal-tree-unknown = У { $name } нет общих папок.
refusal-tree-exists = У { $name } уже есть общие папки.
refusal-tree-of-unknown = Нет ни домена, ни группы { $name }.
refusal-tree-exists-of = У { $name } ещё есть общие папки. Сначала удалите их.
refusal-vacation-invalid = Автоответ не сохранить: нужны текст не длиннее 32 КиБ, тема в одну строку, от 1 до 365 дней и конец позже начала.
refusal-date-invalid = { $date } — не дата: нужен вид 2026-07-31.
refusal-input-unreadable = Стандартный ввод не прочитать: { $reason }
refusal-forward-to-itself = { $name }: нельзя пересылать почту самому себе.
refusal-quota-invalid = { $value } — не квота. Укажите число байтов или число с буквой K, M, G или T.
refusal-enabled-invalid = { $value } — ни да, ни нет.

refusal-password-empty = Пароль пуст.
refusal-password-unusable = Этот пароль нельзя использовать: он слишком длинный или содержит нулевой байт.
refusal-password-hash-invalid = Это недопустимый хеш схемы { $scheme }, или его проверка заняла бы слишком много времени.
refusal-password-scheme-unknown = Схема пароля { $scheme } здесь неизвестна. Если так начинается сам пароль, поставьте перед ним {"{"}PLAIN{"}"}.
refusal-label-invalid = Напишите, для чего этот пароль приложения, — не длиннее 100 байт.
refusal-app-password-exists = Пароль приложения «{ $name }» уже есть.
refusal-app-password-unknown = Пароля приложения «{ $name }» нет.
refusal-certificate-invalid = Это не сертификат в PEM и не отпечаток SHA-256.
refusal-user-certificate-exists = Сертификат { $name } уже принадлежит одному из пользователей.
refusal-user-certificate-unknown = Сертификата { $name } у пользователя нет.
refusal-certificate-refused = Сертификат нельзя ввести в действие: { $reason }
refusal-acme-off = Центр сертификации не задан: укажите адрес его каталога в acme.directory.
refusal-acme-terms = Сначала нужно принять условия центра сертификации ({ $url }): включите acme.agree-terms.
refusal-acme-external-account = Центр хочет знать, чья это учётная запись: задайте acme.external-account и положите её ключ в keys/acme.
refusal-acme-no-web = Центр никого не найдёт: откройте порты веба (web = true в batpost.toml) или задайте acme.challenge = dns-01.
refusal-acme-wildcard = { $name } — это много узлов сразу: задайте acme.challenge = dns-01.
refusal-acme-name = Ни один центр не поручится за { $name }.
refusal-acme-busy = Сейчас получается другой сертификат; повторите, когда это закончится.
refusal-acme-unknown = Сертификата с таким именем среди продлеваемых нет.
refusal-acme-orders-unreadable = Список сертификатов от удостоверяющего центра не читается: { $reason }. Исправьте файл; при следующем заказе он будет отложен и начнётся новый.
refusal-acme-reason = Причины { $name } центры не знают: unspecified, key-compromise, affiliation-changed, superseded или cessation-of-operation.
refusal-acme-failed = Сертификат не получен: { $reason }
refusal-certificate-unknown = Такого сертификата нет, или он тот, что должен остаться.

refusal-alias-exists = Псевдоним { $name } уже есть.
refusal-alias-unknown = Псевдонима { $name } нет.
refusal-alias-without-target = Псевдоним { $name } никуда не ведёт: укажите хотя бы один адрес.
refusal-alias-to-itself = Псевдоним { $name } не может вести сам на себя.

refusal-group-exists = Группа { $name } или группа с таким адресом уже есть.
refusal-group-unknown = Группы { $name } нет.
refusal-group-invalid = { $name } — недопустимое имя группы. Можно использовать буквы, цифры, пробелы, дефисы, подчёркивания и точки, не более 64 байтов.
refusal-group-in-itself = Группа { $name } не может входить сама в себя.
refusal-group-address-exists = Группа с адресом { $name } уже есть.

refusal-selector-invalid = { $selector } не может быть селектором: буквы, цифры, дефисы и точки между ними.
refusal-algorithm-unknown = Алгоритма { $algorithm } нет: rsa или ed25519.
refusal-dkim-exists = У домена уже есть ключ с селектором { $name }.
refusal-dkim-unknown = Ключа с селектором { $name } нет.
refusal-dkim-key-unreadable = Это не закрытый ключ, которым можно подписывать: PEM с ключом RSA от 2048 до 4096 бит или Ed25519, без пароля.

refusal-route-exists = Маршрут { $name } уже есть.
refusal-route-unknown = Маршрута { $name } нет.
refusal-route-name-invalid = «{ $name }» не годится как имя маршрута: нужно имя не длиннее 64 байт.
refusal-route-pattern-invalid = { $pattern } — не шаблон. Напишите домен, *.домен, адрес или *, для отправителей ещё и <>.
refusal-route-host-invalid = { $value } — не сервер. Напишите имя, имя:порт, адрес или mx:домен.
refusal-language-unknown = На языке { $value } сервер не пишет. Известны: en, ru.
refusal-route-tls-unknown = { $value } — неизвестный способ шифрования. Известны: none, opportunistic, verified, dane.
refusal-route-protocol-unknown = { $value } — неизвестный протокол маршрута. Известны: smtp, lmtp.
refusal-route-lmtp-needs-host = Маршруту по LMTP нужно имя сервера.
refusal-route-login-needs-host = Для входа нужно имя сервера: пароль не отправляется тому, кого назовёт DNS.
refusal-external-exists = У пользователя уже есть внешний ящик { $name }.
refusal-external-unknown = У пользователя нет внешнего ящика { $name }.
refusal-external-name-invalid = «{ $name }» не годится как название внешнего ящика: укажите не более 64 байт.
refusal-external-host-invalid = { $value } — не узел. Укажите его имя или адрес.
refusal-external-login-missing = Для внешнего ящика нужно имя для входа.
refusal-external-protocol-unknown = { $value } — не протокол внешнего ящика. Известны: pop3, imap.
refusal-external-security-unknown = { $value } — не способ шифрования. Известны: tls, starttls, none.
refusal-external-mechanism-unknown = { $value } — не способ входа. Известны: auto, scram-sha-256, cram-md5, plain, apop, login.
refusal-external-certificate-invalid = Укажите отпечаток SHA-256 сертификата (64 шестнадцатеричные цифры), «any» или ничего, если сертификат должен проверяться.
refusal-external-pop3-has-no-folders = В POP3 нет папок: не указывайте их или выберите IMAP.
refusal-external-apop-is-of-pop3 = APOP — способ входа только в POP3.
refusal-external-interval-invalid = Выберите от 1 до { $max } минут между обращениями.
refusal-external-days-invalid = Выберите от 1 до { $max } дней.
refusal-external-unreachable = { $host } недоступен: { $reason }. Проверьте имя узла и порт.
refusal-external-timeout = Другой сервер не отвечает вовремя.
refusal-external-closed = Другой сервер закрыл соединение.
refusal-external-tls = Нет безопасного соединения: { $reason }. Если сертификат всё же правильный, укажите его отпечаток.
refusal-external-no-tls = Другой сервер не предлагает здесь TLS. Попробуйте TLS с самого начала.
refusal-external-login-refused = Другой сервер отказывает во входе: { $answer }. Проверьте имя и пароль.
refusal-external-no-mechanism = Нет безопасного способа входа, известного обоим серверам (предложено: { $offered }). Выберите TLS или другой механизм.
refusal-external-no-password = У внешнего ящика нет пароля, или его нельзя открыть: задайте его.
refusal-external-command-refused = Другой сервер отказывает в «{ $command }»: { $answer }
refusal-external-garbage = Ответ другого сервера непонятен: «{ $said }». Проверьте протокол и порт.
refusal-external-too-many = Пришлось бы помнить более { $max } писем.
refusal-external-no-unique-ids = У другого сервера нет уникальных номеров (UIDL): забирать можно только с удалением на нём.
refusal-external-left-out = В папке оставлено столько писем (более { $max } мест), что дальше них на том сервере больше ничего не удаляется.
refusal-external-mailbox-full = Ящик пользователя полон: почта остаётся на другом сервере.
refusal-external-user-disabled = Пользователь отключён.
refusal-external-store = Сейчас почту нельзя принять: { $reason }
refusal-external-gone = Внешний ящик тем временем удалён или изменён.

refusal-access-exists = { $name } уже есть в этом списке.
refusal-access-unknown = { $name } нет в этом списке.
refusal-pattern-invalid = { $pattern } — не адрес, не диапазон, не имя узла, не почтовый адрес и не шаблон для них.

refusal-import-header-invalid = Первая строка файла должна называть столбцы, среди них «address».
refusal-import-column-unknown = Столбец { $column } неизвестен или указан дважды. Известны: address, password, name, quota, groups, enabled.
refusal-import-line-invalid = В строке больше ячеек, чем в заголовке, или не сходятся кавычки.
refusal-import-too-large = Файл слишком большой: не более { $max } байтов за раз.
