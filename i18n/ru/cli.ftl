# Командные строки: batpostctl и batpostd.

cli-heading-usage = Вызов
cli-heading-commands = Команды
cli-heading-options = Параметры
cli-heading-arguments = Аргументы
cli-value-command = КОМАНДА
cli-help = Показать эту справку
cli-try-help = Справку покажет --help.
cli-error-unknown-argument = Неизвестный параметр: { $argument }
cli-error-surplus-argument = Лишний аргумент: { $argument }
cli-error-unknown-command = Неизвестная команда: { $command }
cli-error-missing-argument = Не хватает: { $argument }
cli-error-missing-command = Не указана команда.
cli-error-invalid-value = Значение { $value } не подходит для { $argument }
cli-error-conflict = { $argument } нельзя указать вместе с другим из данных параметров
cli-error-usage = Командная строка не понята.
cli-error-no-daemon = Сервер BatPost там не отвечает ({ $reason }). Запущен ли он, и верно ли указан --data?
cli-error-lost = Связь с сервером потеряна.
cli-error-garbled = Ответ сервера не понят: { $reason }

# Команды batpostctl
cli-about-ctl = Управление работающим почтовым сервером BatPost
cli-domain = Домены
cli-domain-add = Добавить домен
cli-domain-list = Показать список доменов
cli-domain-show = Показать домен
cli-domain-set = Изменить домен
cli-domain-logins = Показать, как входят пользователи домена и чем каждый способ грозит безопасности
cli-domain-remove = Удалить домен
cli-dkim = Ключи, которыми подписывается почта (DKIM)
cli-dkim-add = Создать ключ домена или взять его из файла
cli-dkim-list = Показать список ключей
cli-dkim-show = Показать ключ и запись, которая его публикует
cli-dkim-enable = Подписывать ключом
cli-dkim-disable = Больше не подписывать ключом
cli-dkim-remove = Удалить ключ
cli-report = Отчёты другим доменам: о почте от их имени (DMARC) и о подключениях к ним (TLS-RPT)
cli-report-list = Показать отчёты, которые ждут отправки
cli-report-send = Отправить сейчас всё, что ждёт
cli-user = Пользователи
cli-user-add = Добавить пользователя
cli-user-list = Показать список пользователей
cli-user-show = Показать пользователя
cli-user-set = Изменить пользователя
cli-user-rename = Дать пользователю другой адрес
cli-user-password = Задать пароль пользователя
cli-user-vacation = Показать или задать автоответ на время отсутствия пользователя; любой параметр его включает
cli-user-remove = Удалить пользователя
cli-user-import = Загрузить пользователей из файла CSV
cli-app-password = Пароли приложений пользователя: свой для каждой программы или устройства
cli-app-password-add = Создать пароль приложения и напечатать его; показать его ещё раз нельзя
cli-app-password-list = Показать пароли приложений
cli-app-password-remove = Удалить пароль приложения
cli-user-certificate = Сертификаты, по которым входит пользователь (EXTERNAL)
cli-user-certificate-add = Разрешить пользователю входить по сертификату
cli-user-certificate-list = Показать сертификаты пользователя
cli-user-certificate-remove = Больше не впускать по этому сертификату
cli-alias = Псевдонимы
cli-alias-add = Добавить псевдоним
cli-alias-list = Показать список псевдонимов
cli-alias-set = Изменить псевдоним
cli-alias-remove = Удалить псевдоним
cli-external = Внешние почтовые ящики, почта из которых забирается для пользователей
cli-external-list = Показать внешние ящики
cli-external-show = Показать внешний ящик и его состояние
cli-external-add = Добавить внешний ящик
cli-external-set = Изменить внешний ящик
cli-external-remove = Удалить внешний ящик; забранная почта остаётся
cli-external-fetch = Забрать почту сейчас
cli-external-test = Соединиться и войти, ничего не забирая
cli-external-fine = всё в порядке
cli-group = Группы пользователей
cli-group-add = Добавить группу
cli-group-list = Показать список групп
cli-group-set = Изменить группу
cli-group-remove = Удалить группу
cli-folder = Папки пользователя или общие
cli-folder-list = Показать список папок
cli-folder-add = Добавить папку
cli-folder-rename = Переименовать папку
cli-folder-remove = Удалить папку вместе с письмами
cli-folder-rights = Дать кому-либо права на папку или отнять их
cli-public = Общие папки доменов и групп
cli-public-list = Показать домены и группы, у которых есть общие папки
cli-public-add = Завести общие папки домена или группы
cli-public-set = Задать, сколько могут занимать общие папки; 0 — без предела
cli-public-remove = Удалить общие папки со всеми их письмами
cli-tree-of-domain = домен
cli-tree-of-group = группа
cli-route = Маршруты: куда уходит почта
cli-route-add = Добавить маршрут
cli-route-list = Показать маршруты в том порядке, в каком они проверяются
cli-route-show = Показать маршрут
cli-route-set = Изменить маршрут
cli-route-remove = Удалить маршрут
cli-route-test = Показать, куда пошло бы письмо на этот адрес
cli-route-by-here = Это адрес здешнего сервера.
cli-route-by-override = Куда идёт письмо, сказано в batpost.toml.
cli-route-by-route = Письмо идёт по маршруту { $name }.
cli-route-by-smarthost = Письмо идёт через узел-посредник из настроек.
cli-route-by-direct = Письмо идёт прямо на серверы домена.
cli-queue = Очередь писем
cli-queue-list = Показать письма
cli-queue-show = Показать письмо и состояние каждого получателя
cli-queue-retry = Попытаться доставить сейчас
cli-queue-hold = Задержать письма
cli-queue-release = Отпустить задержанные письма
cli-queue-remove = Удалить письма
cli-queue-read = Вывести текст письма
cli-queue-route = Отправить письма через другой узел; без --to — снова обычным путём
cli-queue-export = Записать письма в каталог как ID.eml и ID.json; без id — все
cli-session = Сеансы почтовых программ и серверов
cli-session-list = Показать сеансы
cli-session-end = Завершить сеанс
cli-service = Службы
cli-service-status = Показать службы
cli-service-start = Запустить службу
cli-service-pause = Не принимать новых сеансов
cli-service-stop = Закрыть порты и завершить сеансы
cli-log = Журнал
cli-log-show = Показать записанные события
cli-log-follow = Показывать события по мере появления
cli-allow = Белый список
cli-block = Чёрный список
cli-access-add = Добавить запись
cli-access-list = Показать записи
cli-access-remove = Удалить запись
cli-setting = Настройки
cli-setting-list = Показать настройки
cli-setting-set = Изменить настройку
cli-certificate = Сертификаты сервера
cli-certificate-list = Показать сертификаты: чьи, до какого срока, для каких имён каждый используется
cli-certificate-add = Ввести в действие сертификат с его цепочкой и ключом
cli-certificate-remove = Удалить сертификат
cli-certificate-reload = Перечитать папку сертификатов; сеансы продолжаются
cli-certificate-obtain = Получить сертификат у центра, который назван в acme.directory, и впредь продлевать его
cli-certificate-orders = Список сертификатов, которые продлеваются, и того, что будет повторено
cli-certificate-forget = Больше не продлевать сертификат; сам он остаётся
cli-certificate-revoke = Отозвать сертификат у центра и сразу получить другой
cli-certificate-rekey = Дать учётной записи в центре новый ключ
cli-certificate-working = (запрашивается)
cli-certificate-default = (все прочие)
cli-certificate-self-signed = сам себе
cli-storage = Базы данных
cli-storage-show = Показать, где лежит каждый вид данных
cli-check = Проверить почтовые ящики
cli-monitor = Показать показатели сервера
cli-rpc = Вызвать метод протокола управления
cli-stdio = Соединить стандартный ввод и вывод с каналом управления
cli-shutdown = Остановить сервер
cli-completions = Вывести дополнения для оболочки

# Аргументы и параметры
cli-arg-name = Имя
cli-arg-domain = Домен
cli-arg-address = Почтовый адрес
cli-arg-target = Куда направляется почта
cli-arg-to = Новое имя
cli-arg-file = Файл CSV, в первой строке — названия из числа: address,password,name,quota,groups,enabled
cli-arg-user = Адрес пользователя или Public/ИМЯ для общих папок
cli-arg-folder = Имя папки, уровни разделены знаком /
cli-arg-directory = Каталог этого компьютера; если его нет, будет создан
cli-arg-identifier = Адрес пользователя, $группа, @домен или anyone; с - впереди: кому права не даны
cli-arg-rights = Буквы из l r s w i p k x t e a или одно из reader, writer, editor, owner; не указаны — никаких
cli-arg-id = Номер или код, как в списке
cli-arg-service = smtp, submission, lmtp, pop3, imap, web или delivery
cli-arg-pattern = IP-адрес, диапазон, имя узла или почтовый адрес; * заменяет любой текст
cli-arg-key = Имя настройки
cli-arg-value = Новое значение
cli-arg-method = Имя метода, например user.list
cli-arg-params = Параметры в JSON
cli-arg-shell = bash, zsh, fish, elvish или powershell
cli-arg-label = Для чего этот пароль приложения, например «Телефон»
cli-arg-names = Имена узлов через запятую; сертификат называется по первому
cli-arg-pem = Файлы PEM: сертификат, его цепочка и ключ, в одном файле или в нескольких
cli-arg-certificate = Файл с сертификатом (PEM) или его отпечаток SHA-256
cli-opt-version = Показать версию
cli-opt-data = Каталог данных сервера
cli-opt-socket = Сокет или канал управления
cli-opt-json = Отвечать в JSON
cli-opt-filter = Только строки, содержащие это
cli-opt-sort = Упорядочить по этому столбцу
cli-opt-descending = По убыванию
cli-opt-offset = Пропустить столько строк
cli-opt-limit = Показать не больше стольких строк
cli-opt-description = Описание
cli-opt-enabled = Действует ли
cli-opt-selector = Чем ключи домена различаются в DNS
cli-opt-algorithm = rsa (2048 бит, по умолчанию) или ed25519
cli-opt-key-file = Закрытый ключ в PEM, созданный в другом месте
cli-opt-active = Подписывать им сразу
cli-opt-catch-all = Куда направлять почту для неизвестных адресов; пусто — никуда
cli-opt-user-quota = Сколько байт может занять каждый пользователь; 0 — без предела
cli-opt-alias = Другое имя домена (можно повторять)
cli-opt-mechanism = Способ, которым входят его пользователи (можно повторять; standard — обычные). См. domain logins
cli-opt-with-users = Удалить и его пользователей с их почтой
cli-opt-name = Имя человека
cli-opt-quota = Сколько байт может занять пользователь; 0 — предел домена
cli-opt-tree-quota = Сколько байт могут занять все эти папки; 0 — без предела
cli-opt-group = Группа, в которую входит пользователь (можно повторять)
cli-opt-recipient = Получатели: домен, *.домен, адрес или * (можно повторять)
cli-opt-sender = Отправители: домен, *.домен, адрес, * или <> (можно повторять)
cli-opt-host = Следующий сервер или mx:ДОМЕН (можно повторять); без него — серверы домена получателя
cli-opt-kind = Только отчёты этого вида: dmarc или tls
cli-opt-encryption = TLS до сервера: none, opportunistic, verified или dane
cli-opt-over = smtp или lmtp
cli-opt-login = Имя для входа; пусто — без входа
cli-opt-place = Меньшие проверяются раньше
cli-opt-password-stdin = Прочитать пароль со стандартного ввода
cli-opt-domain = Только этого домена
cli-opt-forward = Посылать копии туда (можно повторять)
cli-opt-no-forward = Никуда не пересылать
cli-opt-language = Язык того, что сервер пишет этим пользователям: en, ru или default — без своего
cli-opt-send-as = Адрес, @домен или *, от имени которого пользователь может писать кроме собственных (можно повторять)
cli-opt-no-send-as = Только собственные адреса
cli-opt-text-stdin = Прочитать текст со стандартного ввода
cli-opt-subject = Тема ответа; пусто — «Auto:» и тема письма
cli-opt-starts = Первый день; - значит сразу
cli-opt-ends = Последний день; - значит без конца
cli-opt-days = В течение стольких дней никто не получит ответ дважды
cli-opt-off = Никому не отвечать
cli-opt-keep-copy = Оставлять пересланное
cli-opt-deny = Протокол, запрещённый пользователю (можно повторять)
cli-opt-protocol = Протокол, для которого он годится: imap, pop3, smtp или submission (можно повторять); без параметра — для всех
cli-opt-label = Примечание
cli-opt-of-user = Только этого пользователя
cli-opt-fetch-protocol = pop3 или imap (по умолчанию)
cli-opt-server = Имя или адрес другого сервера
cli-opt-port = Его порт; 0: обычный
cli-opt-security = tls (с самого начала, по умолчанию), starttls (обязательно) или none
cli-opt-certificate = verify (по умолчанию), any (не проверять) или отпечаток SHA-256 единственного принимаемого сертификата
cli-opt-fetch-login = Имя для входа на другом сервере
cli-opt-fetch-mechanism = auto (лучший из известных обоим, по умолчанию), scram-sha-256, cram-md5, plain, apop или login
cli-opt-source = IMAP: папка, из которой забирать (можно повторять; если не указана — INBOX)
cli-opt-into = Папка здесь; пусто: как остальная почта пользователя
cli-opt-revocation = Почему: unspecified (по умолчанию), key-compromise, affiliation-changed, superseded или cessation-of-operation
cli-opt-every = Минут между двумя обращениями
cli-opt-keep = Забранное остаётся на другом сервере (по умолчанию)
cli-opt-delete = Забранное удаляется на другом сервере
cli-opt-delete-after = Удаляется на другом сервере через столько дней после получения
cli-opt-mark-seen = IMAP: оставшееся помечается на другом сервере как прочитанное
cli-opt-keep-mail = Оставить почтовый ящик на диске
cli-opt-create-domains = Добавить недостающие домены
cli-opt-address = Адрес группы
cli-opt-member = Участник (можно повторять)
cli-opt-member-group = Группа, участники которой входят сюда (можно повторять)
cli-opt-special-use = all, archive, drafts, flagged, junk, sent или trash
cli-opt-bounce = Сообщить отправителям
cli-opt-to = Узел: УЗЕЛ или УЗЕЛ:ПОРТ
cli-opt-channel = smtp, pop3, imap, delivery, security, errors, drivers или application (можно повторять)
cli-opt-session = Только этот сеанс
cli-opt-message = Только это письмо
cli-opt-contains = Только строки, содержащие это
cli-opt-comment = Примечание
cli-opt-user = Только ящик этого пользователя
cli-opt-repair = Исправить, что можно исправить
cli-opt-hostname = Имя этого сервера в почтовой сети
cli-opt-port-offset = Прибавить к обычным портам
cli-opt-bind = IP-адрес, который слушать (можно повторять)
cli-opt-web = Слушать и порты 80 и 443: там почтовые программы узнают, как настроить учётную запись

# Ответы
cli-yes = да
cli-no = нет
cli-held = задержано
cli-ask-password = Пароль:{" "}
cli-ask-password-again = Ещё раз:{" "}
cli-more-rows = … и ещё { $count ->
    [one] { $count } строка
    [few] { $count } строки
   *[many] { $count } строк
}: см. --limit и --offset
cli-done-dkim-add = Опубликуйте запись, затем включите подпись: batpostctl dkim enable … --selector { $selector }
cli-done-report-send = { $count ->
    [0] Ни один отчёт не отправлен.
    [one] Отправлен { $count } отчёт.
    [few] Отправлено { $count } отчёта.
   *[many] Отправлено { $count } отчётов.
}
cli-done-domain-add = Домен { $name } добавлен.
cli-done-user-add = Пользователь { $address } добавлен.
cli-done-change = Готово.
cli-done-external-fetch = { $count ->
    [0] Ничего не забрано.
    [one] Забрано { $count } письмо.
    [few] Забрано { $count } письма.
   *[many] Забрано { $count } писем.
}
cli-done-remove = Удалено.
cli-done-password = Пароль задан.
cli-done-import = { $count ->
    [one] Загружен { $count } пользователь
    [few] Загружено { $count } пользователя
   *[many] Загружено { $count } пользователей
}.
cli-import-line = Строка { $line }: { $reason }
cli-import-more = … и ещё { $count ->
    [one] { $count } строка, которую не удалось
    [few] { $count } строки, которые не удалось
   *[many] { $count } строк, которые не удалось
} загрузить
cli-done-queue = { $count ->
    [one] Затронуто { $count } письмо
    [few] Затронуто { $count } письма
   *[many] Затронуто { $count } писем
}.
cli-done-session-end = Сеанс завершается.
cli-done-check = { $mailboxes ->
    [one] Проверен { $mailboxes } ящик
    [few] Проверено { $mailboxes } ящика
   *[many] Проверено { $mailboxes } ящиков
}, { $messages ->
    [one] { $messages } письмо
    [few] { $messages } письма
   *[many] { $messages } писем
}; { $problems ->
    [0] всё в порядке
    [one] { $problems } неполадка
    [few] { $problems } неполадки
   *[many] { $problems } неполадок
}.
cli-done-shutdown = Сервер останавливается.
cli-problem = Ящик { $owner }: { $reason }
cli-problem-repaired = Ящик { $owner }: { $reason } (исправлено)
cli-seconds = { $count ->
    [one] { $count } секунда
    [few] { $count } секунды
   *[many] { $count } секунд
}
cli-state-waiting = ожидает
cli-state-delivered = доставлено
cli-state-failed = не доставлено
cli-service-running = работает
cli-service-paused = приостановлена
cli-service-stopped = остановлена

cli-column-last-failure = ПОСЛЕДНЯЯ НЕУДАЧА
cli-column-selector = СЕЛЕКТОР
cli-column-algorithm = АЛГОРИТМ
cli-column-signs = ПОДПИСЫВАЕТ
cli-column-record-name = ИМЯ ЗАПИСИ
cli-column-record-type = ТИП ЗАПИСИ
cli-column-record = ЗАПИСЬ
cli-column-day = ДЕНЬ
cli-column-domain = ДОМЕН
cli-column-users = ПОЛЬЗОВАТЕЛИ
cli-column-enabled = ДЕЙСТВУЕТ
cli-column-description = ОПИСАНИЕ
cli-column-aliases = ДРУГИЕ ИМЕНА
cli-column-catch-all = ДЛЯ НЕИЗВЕСТНЫХ
cli-column-user-quota = ПРЕДЕЛ НА ПОЛЬЗОВАТЕЛЯ
cli-column-address = АДРЕС
cli-column-name = ИМЯ
cli-column-of = ЧЕГО
cli-column-quota = ПРЕДЕЛ
cli-column-groups = ГРУППЫ
cli-column-forward = ПЕРЕСЫЛКА
cli-column-language = ЯЗЫК
cli-column-send-as = ПИШЕТ ОТ ИМЕНИ
cli-column-starts = С
cli-column-ends = ДО
cli-column-days = ДНЕЙ
cli-column-subject = ТЕМА
cli-column-text = ТЕКСТ
cli-column-mailbox = ЯЩИК
cli-column-targets = КУДА
cli-column-group = ГРУППА
cli-column-members = УЧАСТНИКИ
cli-column-place = МЕСТО
cli-column-hosts = СЕРВЕРЫ
cli-column-host = СЕРВЕР
cli-column-protocol = ПРОТОКОЛ
cli-column-login = ВХОД
cli-column-folder = ПАПКА
cli-column-external-certificate = СЕРТИФИКАТ
cli-column-into = КУДА
cli-column-every = МИНУТ
cli-column-after = ПОСЛЕ
cli-column-last-visit = ПОСЛЕДНЕЕ ОБРАЩЕНИЕ
cli-column-next-visit = СЛЕДУЮЩЕЕ ОБРАЩЕНИЕ
cli-column-fetched = ЗАБРАНО
cli-column-skipped = ПРОПУЩЕНО
cli-column-result = РЕЗУЛЬТАТ
cli-column-messages = ПИСЕМ
cli-column-unseen = НОВЫХ
cli-column-size = РАЗМЕР
cli-column-special-use = НАЗНАЧЕНИЕ
cli-column-rights = ПРАВА
cli-column-label = ДЛЯ ЧЕГО
cli-column-fingerprint = ОТПЕЧАТОК
cli-column-host-names = УЗЛЫ
cli-column-issuer = КЕМ ВЫДАН
cli-column-served = ИСПОЛЬЗУЕТСЯ ДЛЯ
cli-column-mechanism = МЕХАНИЗМ
cli-column-costs = ЧЕМ ГРОЗИТ
cli-column-protocols = ДЛЯ ПРОТОКОЛОВ
cli-column-made = СОЗДАН
cli-column-used = ПОСЛЕДНИЙ ВХОД
cli-column-id = КОД
cli-column-arrived = ПРИНЯТО
cli-column-sender = ОТПРАВИТЕЛЬ
cli-column-recipients = ПОЛУЧАТЕЛИ
cli-column-recipient = ПОЛУЧАТЕЛЬ
cli-column-attempts = ПОПЫТКИ
cli-column-next-try = СЛЕДУЮЩАЯ
cli-column-last-reply = ПОСЛЕДНИЙ ОТВЕТ
cli-column-held = ЗАДЕРЖАНО
cli-column-route = ЧЕРЕЗ УЗЕЛ
cli-column-state = СОСТОЯНИЕ
cli-column-service = СЛУЖБА
cli-column-peer = УЗЕЛ
cli-column-user = ПОЛЬЗОВАТЕЛЬ
cli-column-tls = TLS
cli-column-since = С
cli-column-bytes-in = ПРИНЯТО
cli-column-bytes-out = ОТПРАВЛЕНО
cli-column-active = СЕАНСЫ
cli-column-total = ВСЕГО
cli-column-listeners = СЛУШАЕТ
cli-column-uptime = РАБОТАЕТ
cli-column-queue = ОЧЕРЕДЬ
cli-column-accepted = ПРИНЯТО ПИСЕМ
cli-column-delivered = ДОСТАВЛЕНО
cli-column-memory = ПАМЯТЬ
cli-column-pattern = ОБРАЗЕЦ
cli-column-comment = ПРИМЕЧАНИЕ
cli-column-setting = НАСТРОЙКА
cli-column-value = ЗНАЧЕНИЕ
cli-column-count = ЧИСЛО
cli-column-kind = ВИД
cli-column-database = БАЗА
cli-column-driver = ДРАЙВЕР
cli-column-location = МЕСТО

# Отказы до обращения к серверу
refusal-password-unreadable = Не удалось прочитать пароль: { $reason }
refusal-passwords-differ = Пароли не совпадают.
refusal-file-unreadable = Файл { $file } не читается: { $reason }
refusal-protocol-unknown = { $protocol } — не протокол. Известны: smtp, submission, lmtp, pop3, imap.
refusal-output-unwritable = Не удалось вывести письмо: { $reason }
refusal-json-invalid = Параметры — не JSON: { $reason }

# batpostd
cli-about-daemon = Почтовый сервер BatPost
cli-daemon-run = Запустить сервер на переднем плане
cli-daemon-demo = Запустить пробный сервер на этом узле, порты + 2000 или как задаст --port-offset при первом запуске
cli-daemon-init = Создать каталог данных
cli-daemon-service = Работать службой Windows (вызывается диспетчером служб)
daemon-demo-title = Пробный сервер BatPost запущен. Всё лежит в { $data }.
daemon-demo-user = Пользователь: { $user }, пароль: { $password } (и { $other } с тем же паролем)
daemon-demo-service = { $service }: { $address }
daemon-demo-tls = { $service }: { $address } (TLS)
daemon-demo-control = Управление: batpostctl --data { $data } user list
daemon-demo-stop = Ctrl-C останавливает сервер; почта сохранится до следующего запуска.
daemon-running = BatPost { $version } запущен, данные: { $data }.
daemon-stopped = BatPost остановлен.
daemon-init-done = Каталог { $data } готов. Запуск сервера: batpostd run --data { $data }
daemon-error-initialised = В { $data } уже есть сервер BatPost.
daemon-error-not-initialised = В { $data } нет сервера BatPost. Создать: batpostd init --data { $data } --hostname ИМЯ
daemon-error-unwritable = Не удаётся записать { $path }: { $reason }
daemon-error-locked = С каталогом { $data } уже работает другой сервер BatPost.
daemon-error-config = Файл { $path } повреждён или неверен: { $reason }
daemon-error-port-occupied = Адрес { $address } занят другой программой. Остановите её или выберите другие порты.
daemon-error-port-forbidden = Нет права слушать { $address }: для портов ниже 1024 нужны особые права.
daemon-error-port = Не удаётся слушать { $address }: { $reason }
daemon-error-store = Не удаётся открыть хранилище ({ $store }): { $reason }
daemon-error-control = Не удаётся открыть канал управления: { $reason }
daemon-error-certificate = Сертификат непригоден: { $reason }
daemon-error-hostname = { $hostname } — недопустимое имя узла.
daemon-error-start = BatPost не может запуститься: { $reason }
daemon-error-service = Диспетчер служб недоступен: { $reason }
