# Конфигуратор.
#
# Словарь: почтовый ящик (хранилище писем пользователя), папка (его часть), пользователь, домен, псевдоним, группа,
# очередь, сеанс, служба, чёрный и белый списки, запись (одна их строка), отправитель, получатель, параметр, право,
# уведомление (программы). Одно слово для одной вещи, везде.
#
# Ключи, которые собираются в коде: setting-<key> и …-help, settings-group-<word>, refusal-<code>, channel-<name>,
# severity-<name>, service-<name> и …-help, recipient-<state>, special-<use>, right-<letter>, role-<name> и …-long,
# whom-<kind>, field-whom-<kind>, kind-<name>.

## Общее

product-name = BatPost
window-title = Конфигуратор BatPost
search = Поиск
search-clear = Очистить поиск
save = Сохранить
cancel = Отмена
close = Закрыть
edit = Изменить
delete = Удалить
rename = Переименовать
copy = Копировать
revert = Вернуть
discard = Не сохранять
keep-editing = Продолжить
discard-question = Отменить изменения?
back = Назад
next = Далее
finish = Готово
copy-address = Копировать адрес
unlimited = без ограничения
waiting = Ждём ответа сервера…
not-connected = Нет связи с сервером
not-connected-hint = Страница заполнится, как только связь появится. Ничего не потеряно.
list-failed = Не удалось прочитать список
nothing-found = Ничего не найдено
nothing-found-hint = Здесь ничего не содержит «{ $name }».
time-now = сейчас
time-in = через { $duration }
time-ago = −{ $duration }
duration-seconds = { $count } с
duration-minutes = { $count } мин
duration-hours = { $count } ч
duration-days = { $count ->
    [one] { $count } день
    [few] { $count } дня
   *[many] { $count } дней
}
duration-two = { $first } { $second }
per-second = { $rate }/с
and-more = { $count ->
    [one] и ещё { $shown }
    [few] и ещё { $shown }
   *[many] и ещё { $shown }
}
active-of-max = { $active } из { $max }

## Командная строка

args-data = папка с данными сервера
args-socket = управляющий сокет или канал сервера
args-ssh = подключиться к серверу через ssh
args-lang = язык: en или ru
args-page = с какой страницы начать; после users, aliases и folders можно указать :ДОМЕН

## Страницы

page-monitor = Монитор
page-queue = Очередь
page-log = Журнал
page-domains = Домены
page-users = Пользователи
page-aliases = Псевдонимы
page-folders = Папки
page-groups = Группы
page-public = Общие папки
page-routes = Маршруты
page-access = Чёрный и белый списки
page-services = Службы
page-settings = Параметры
page-storage = Хранение
page-certificates = Сертификаты
page-wizard = Первые шаги
page-about = О программе
tree-directory = Справочник
tree-policy = Правила приёма
tree-server = Сервер
tree-more-domains = { $count ->
    [one] Ещё { $shown }…
    [few] Ещё { $shown }…
   *[many] Ещё { $shown }…
}
users-of = Пользователи { $domain }
aliases-of = Псевдонимы { $domain }
folders-of = Папки { $domain }

## Строка внизу

status-connected = Подключено к { $name }, BatPost { $version }
status-connecting = Подключение к { $name }…
status-gone = Нет связи; следующая попытка через { $duration }
status-reconnecting = Нет связи; подключаемся…
status-retry = Попробовать сейчас
status-saving = Сохраняем…
status-loading = Загрузка…
theme-system = Тема: как в системе
theme-light = Тема: светлая
theme-dark = Тема: тёмная
notices = Уведомления
notices-none = Пока нечего сообщить.
notice-reports-sent = Всё, что можно отправить, отправлено.
notice-saved = Сохранено.
notice-copied = Скопировано.
notice-removed = Удалено: { $name }.
notice-users-removed = { $count ->
    [one] Удалён { $count } пользователь.
    [few] Удалены { $count } пользователя.
   *[many] Удалено { $count } пользователей.
}
notice-messages-removed = { $count ->
    [one] Удалено { $count } письмо.
    [few] Удалено { $count } письма.
   *[many] Удалено { $count } писем.
}
notice-session-ended = Сеанс завершён: { $name }.
notice-queue-retried = { $count ->
    [one] Пробуем доставить { $count } письмо.
    [few] Пробуем доставить { $count } письма.
   *[many] Пробуем доставить { $count } писем.
}
notice-queue-held = { $count ->
    [one] Задержано { $count } письмо.
    [few] Задержано { $count } письма.
   *[many] Задержано { $count } писем.
}
notice-queue-released = { $count ->
    [one] Отпущено { $count } письмо.
    [few] Отпущено { $count } письма.
   *[many] Отпущено { $count } писем.
}
notice-messages-exported = { $count ->
    [one] Сохранено { $count } письмо.
    [few] Сохранены { $count } письма.
   *[other] Сохранено { $count } писем.
}
notice-exported = { $count ->
    [one] В файл записана { $count } строка.
    [few] В файл записаны { $count } строки.
   *[many] В файл записано { $count } строк.
}
error-lost = Связь прервалась раньше, чем сервер ответил. Проверьте, внесено ли изменение, и повторите.
error-unnamed = Сервер отказал: { $code }

## Счёт

count-domains = { $count ->
    [one] { $shown } домен
    [few] { $shown } домена
   *[many] { $shown } доменов
}
count-users-shown = { $count ->
    [one] { $shown } пользователь
    [few] { $shown } пользователя
   *[many] { $shown } пользователей
}
count-aliases = { $count ->
    [one] { $shown } псевдоним
    [few] { $shown } псевдонима
   *[many] { $shown } псевдонимов
}
count-groups = { $count ->
    [one] { $shown } группа
    [few] { $shown } группы
   *[many] { $shown } групп
}
count-routes = { $count ->
    [one] { $shown } маршрут
    [few] { $shown } маршрута
   *[many] { $shown } маршрутов
}
count-entries = { $count ->
    [one] { $shown } запись
    [few] { $shown } записи
   *[many] { $shown } записей
}
count-messages-shown = { $count ->
    [one] { $shown } письмо
    [few] { $shown } письма
   *[many] { $shown } писем
}
count-recipients = { $count ->
    [one] { $shown } получатель
    [few] { $shown } получателя
   *[many] { $shown } получателей
}
count-rows = { $count ->
    [one] { $shown } строка
    [few] { $shown } строки
   *[many] { $shown } строк
}
count-sessions = { $count ->
    [one] { $shown } сеанс
    [few] { $shown } сеанса
   *[many] { $shown } сеансов
}

## Столбцы

column-address = Адрес
column-arrived = Поступило
column-attempts = Попытки
column-channel = Раздел
column-comment = Примечание
column-database = База данных
column-description = Описание
column-doing = Состояние
column-domain = Домен
column-driver = Драйвер
column-event = Событие
column-folder = Папка
column-for = Длится
column-group = Группа
column-public = Домен или группа
column-limit = Предел
column-groups = Группы
column-in = Принято
column-kind = Данные
column-last-reply = Последний ответ
column-list = Список
column-listeners = Слушает
column-location = Место
column-members = Участники
column-message = Письмо
column-messages = Письма
column-name = Имя
column-next-try = Повтор
column-out = Отдано
column-pattern = Адрес, диапазон или имя
column-peer = Откуда
column-recipients = Получатели
column-sender = Отправитель
column-service = Служба
column-session = Сеанс
column-sessions = Сеансы
column-size = Размер
column-state = Состояние
column-targets = Куда доставлять
column-time = Время
column-total = С запуска
column-under-way = В работе
column-unseen = Непрочитано
column-used = Занято
column-user = Пользователь
column-users = Пользователи

## Состояния

state-held = задержано
state-no-password = нет пароля
state-off = отключён
state-on = включён
state-running = работает
state-paused = приостановлена
state-stopped = остановлена
recipient-waiting = ждёт
recipient-delivered = доставлено
recipient-failed = не доставлено
severity-debug = подробность
severity-info = сведения
severity-warning = предупреждение
severity-error = ошибка
channel-smtp = SMTP
channel-imap = IMAP
channel-pop3 = POP3
channel-delivery = Доставка
channel-security = Безопасность
channel-errors = Ошибки
channel-drivers = Базы данных
channel-application = Сервер

## Монитор и службы

monitor-uptime = работает { $duration }
monitor-load = Активные сеансы
monitor-log = Журнал
figure-sessions = Сеансы
figure-queue = В очереди
figure-queue-open = Открыть очередь
figure-accepted = Принято писем
figure-delivered = Доставлено
figure-traffic = Передано
figure-memory = Память
service-smtp = SMTP
service-smtp-help = Принимает почту от других серверов.
service-submission = Отправка
service-submission-help = Принимает почту от своих пользователей после входа.
service-lmtp = LMTP
service-lmtp-help = Принимает почту от программ на этой машине.
service-web = Веб
service-web-help = Сообщает почтовым программам, как настроить учётную запись (autoconfig, autodiscover).
service-pop3 = POP3
service-pop3-help = Отдаёт почтовым программам входящие.
service-imap = IMAP
service-imap-help = Даёт почтовым программам работать со всеми папками.
service-delivery = Доставка
service-delivery-help = Доставляет принятую почту в ящики и на другие серверы.
service-start = Запустить
service-pause = Приостановить
service-stop = Остановить
service-start-named = Запустить { $name }
service-pause-named = Приостановить { $name }
service-stop-named = Остановить { $name }
sessions-none = Сеансов нет
sessions-none-hint = Сейчас никто не подключён.
session-end = Завершить сеанс
session-log = Журнал сеанса
session-tls = Зашифровано

## Очередь

queue-none = Очередь пуста
queue-none-hint = Все принятые письма доставлены.
queue-retry = Доставить сейчас
queue-retry-all = Доставить все сейчас
queue-hold = Задержать
queue-release = Отпустить
queue-next-host = Отправить через другой узел…
queue-next-host-title = Отправить через другой узел
field-next-host = Узел
field-next-host-help = УЗЕЛ или УЗЕЛ:ПОРТ; пусто — снова обычным путём. Доставка начнётся сразу.
queue-export = Сохранить в папку…
queue-export-title = Сохранить письма в папку
queue-export-do = Сохранить
queue-read = Показать текст
queue-mark = Отметить { $name }
sender-none = письмо самого сервера
message-text = Письмо { $name }
message-cut = Показаны только первые { $size }; в папку письмо сохраняется целиком.
count-attempts = { $count ->
    [0] Попыток ещё не было
    [one] { $count } попытка
    [few] { $count } попытки
   *[other] { $count } попыток
}
attempts-next = , следующая { $when }

## Журнал

log-open = Открыть журнал
log-export = Выгрузить…
log-export-do = Выгрузить
log-pause = Остановить
log-follow = Следить
log-of-session = Сеанс { $id }
log-of-message = Письмо { $id }
log-only-session = Только этот сеанс
log-only-message = Только это письмо
log-fields = Подробности
log-none = Пока ничего не произошло
log-none-hint = События появятся здесь сразу, как произойдут.
log-nothing-hint = Ни одно событие не подходит под отбор.

## Домены

domain-add = Новый домен
domain-edit = Домен { $name }
domain-open-users = Открыть пользователей
domains-none = Доменов пока нет
domains-none-hint = Добавьте первый или воспользуйтесь «Первыми шагами».

## Пользователи

user-add = Новый пользователь
user-edit = Пользователь { $name }
users-none = Пользователей пока нет
users-none-hint = У пользователя есть адрес и почтовый ящик в этом домене.
quota-of-domain = как у домена
denied-none = ничего
password-set = задан
password-not-set = не задан
password-unchanged = без изменений
reports = Отчёты доменам
reports-send = Отправить сейчас
reports-none = Ни один отчёт не ждёт.
reports-dmarc = { $name }: { $count ->
    [one] { $count } письмо
    [few] { $count } письма
   *[many] { $count } писем
} (DMARC)
reports-tls = { $name }: { $count ->
    [one] { $count } подключение
    [few] { $count } подключения
   *[many] { $count } подключений
} (TLS-RPT)
dkim = Подпись (DKIM)
dkim-add = Новый ключ
dkim-title = Ключ домена { $name }
dkim-remove = Удалить ключ { $name }
dkim-enable = Подписывать ключом { $name }
dkim-disable = Не подписывать ключом { $name }
dkim-sign = Подписывать
dkim-sign-no-more = Не подписывать
dkim-copy-name = Копировать имя записи TXT
dkim-copy-record = Копировать текст записи TXT
app-passwords = Пароли приложений
app-password-add = Новый пароль приложения
app-password-title = Пароль приложения для { $name }
app-password-make = Создать
app-password-made = Пароль приложения «{ $name }»
app-password-made-text = Введите его в программе как написано, вместе с дефисами. Он показан только один раз: закройте окно, когда введёте его.
app-password-remove = Удалить пароль приложения { $name }
app-password-used = последний вход { $name }
app-password-unused = ещё не использован
user-certificates = Сертификаты клиента
user-certificate-add = Новый сертификат
user-certificate-title = Сертификат для { $name }
user-certificate-remove = Удалить сертификат { $name }

## Псевдонимы и группы

alias-add = Новый псевдоним
alias-edit = Псевдоним { $name }
aliases-none = Псевдонимов пока нет
aliases-none-hint = Псевдоним — адрес, почта которого идёт другим.
group-add = Новая группа
group-edit = Группа { $name }
groups-none = Групп пока нет
groups-none-hint = Группе дают права на папки; у неё может быть свой адрес.

## Маршруты

route-add = Новый маршрут
route-edit = Маршрут { $name }
route-test = Куда пойдёт почта?
route-test-do = Показать
route-test-of = Почта для { $name }
field-test-to = Получатель
field-test-from = Отправитель
field-test-from-help = Пусто: отчёт о доставке.
routes-none = Маршрутов нет
routes-none-hint = Вся исходящая почта идёт через узел-посредник из настроек или прямо на серверы доменов получателей.
route-all = все
route-direct = серверы домена
route-tls-none = никогда
route-tls-opportunistic = если предлагают
route-tls-verified = с проверкой сертификата
route-tls-dane = DANE
route-protocol-smtp = SMTP
route-protocol-lmtp = LMTP
column-place = Место
column-route-to = Получатели
column-route-from = Отправители
column-route-hosts = Серверы
field-route-name = Имя
field-route-place = Место
field-route-place-help = Меньшие проверяются раньше.
field-route-to = Получатели
field-route-to-help = Домены, *.домен, адреса. Пусто: все.
field-route-from = Отправители
field-route-from-help = Так же; <> — отправитель отчётов. Пусто: все.
field-route-hosts = Серверы
field-route-hosts-help = Проверяются по порядку: имя, имя:порт или mx:домен. Пусто: серверы домена получателя.
field-route-tls = Шифрование
field-route-protocol = Протокол
field-route-user = Имя для входа
field-route-enabled = Используется

## Чёрный и белый списки

entry-add = Новая запись
access-none = Оба списка пусты
access-none-hint = Адреса, диапазоны, имена узлов и почтовые адреса, которым можно всегда или нельзя никогда. Белый список сильнее чёрного.
access-both = Оба списка
access-white = Белый список
access-black = Чёрный список
side-allow = белый
side-block = чёрный

## Папки и права

folder-add = Новая папка
folder-rename = Переименование папки { $name }
folders-choose = Выберите пользователя
folders-choose-hint = Здесь появятся папки пользователя и права на них.
public-none = Общих папок пока нет
public-none-hint = Они принадлежат не пользователю, а домену или группе; почтовые программы показывают их в Public.
public-choose = Выберите домен или группу
public-choose-hint = Здесь появятся общие папки и права на них.
public-root = Эти права получают папки, созданные позже.
tree-add = Новые общие папки
tree-edit = Общие папки: { $name }
tree-limit = Предел
tree-remove = Удалить все
tree-of-domain = домен
tree-of-group = группа
folder-rights = Права
folder-rights-none = Никому, кроме владельца.
folder-rights-nobody = Никому.
rights-title = Права на { $name }
rights-add = Дать права
rights-edit = Права: { $name }
rights-of-group = Группа { $name }
rights-of-domain = Все пользователи { $name }
rights-of-anyone = Все
rights-denied = Никогда: { $name }
rights-none-left = Все права будут отняты: { $name }.
role-reader-long = Читатель: читает и помечает прочитанным
role-writer-long = Автор: ещё ставит флажки и добавляет письма
role-editor-long = Редактор: ещё удаляет письма, создаёт и удаляет папки
role-owner-long = Хозяин: ещё даёт права другим
role-none = Ничего: права будут отняты
role-own = Свой набор
whom-user = Пользователь
whom-group = Группа
whom-domain = Все из домена
whom-anyone = Все
right-l = видит папку
right-r = читает письма
right-s = помечает письма прочитанными
right-w = меняет флажки и метки
right-i = добавляет письма
right-p = может писать в папку по почте
right-k = создаёт вложенные папки
right-x = удаляет папку
right-t = помечает письма удалёнными
right-e = стирает удалённые письма
right-a = даёт права другим
special-none = обычная папка
special-archive = архив
special-drafts = черновики
special-flagged = отмеченные
special-junk = спам
special-sent = отправленные
special-trash = корзина
special-all = вся почта
special-important = важные

## Поля

field-hostname = Имя сервера
field-hostname-help = Полное имя, под которым сервер известен в DNS.
field-domain = Домен
field-domain-help = То, что стоит после @ в адресах.
field-description = Описание
field-domain-aliases = Другие имена домена
field-domain-aliases-help = По одному в строке. Под ними доступны все адреса домена.
field-catch-all = Почта на неизвестные адреса идёт
field-catch-all-help = Пусто: такая почта отклоняется.
field-user-quota = Квота каждого пользователя
field-quota-help = Например, 500 МБ или 2 ГБ.
field-users-max = Не больше пользователей
field-domain-enabled = Домен принимает почту и вход
field-mechanisms = Как входят его пользователи
field-mechanisms-standard = Обычными способами
field-local = Адрес
field-name = Имя
field-password = Пароль
field-new-password = Новый пароль
field-algorithm = Алгоритм
field-algorithm-help = RSA понимают все. Ed25519 может быть вторым ключом.
field-selector = Селектор
field-selector-help = Чем ключи домена различаются в DNS. Пусто: выберется сам.
field-private-key = Свой ключ
field-private-key-help = Закрытый ключ в PEM, созданный в другом месте. Пусто: создаётся новый.
field-label = Для чего он
field-label-help = Программа или устройство, например «Телефон».
field-opens = Только для (если ничего не отмечено — для всего, что можно пользователю)
field-certificate = Сертификат
field-certificate-help = Текст сертификата (PEM) или его отпечаток SHA-256. Должна быть включена настройка «Спрашивать сертификаты клиентов».
field-host-names = Имена узлов
field-host-names-help = Через запятую или по одному в строке. Центр тот, что назван в параметрах; он проверит, ведут ли имена сюда. Продлевается сертификат сам.
field-pem = Сертификат, цепочка и ключ
field-pem-help = В PEM, друг за другом, в любом порядке.
field-again = Пароль ещё раз
field-quota = Квота
field-groups-help = Названия групп, по одному в строке.
field-forward = Копии идут
field-forward-help = Адреса, по одному в строке.
field-forward-keep = Оставлять копию здесь
field-language = Язык сообщений сервера
field-language-help = Уведомления о недоставке, о задержке и другие письма, которые пишет сам сервер.
language-of-server = как у сервера
language-of-domain = как у домена
field-send-as = Может также писать от имени
field-send-as-help = Адреса, @домен или *, по одному в строке. Собственные адреса, псевдонимы и группы указывать не нужно.
vacation = Автоответ…
vacation-title = Автоответ: { $name }
vacation-fact = Отсутствует, действует автоответ
field-vacation-enabled = Отвечать тем, кто пишет
field-vacation-starts = С (пусто — сразу)
field-vacation-ends = Последний день (пусто — до выключения)
field-vacation-subject = Тема
field-vacation-subject-help = Пусто — «Auto:» и тема письма.
field-vacation-text = Текст
field-vacation-days = Дней
field-vacation-days-help = В течение стольких дней никто не получит ответ дважды.
field-allowed = Может пользоваться
field-denied = Не может пользоваться
field-user-enabled = Пользователь может входить и получает почту
field-targets-help = Адреса здесь или на других серверах, по одному в строке.
field-alias-enabled = Псевдоним принимает почту
field-group-address = Адрес группы
field-group-address-help = Почта на него идёт каждому участнику. Пусто: группа не получает почты.
field-members = Участники
field-members-help = Адреса пользователей, по одному в строке.
field-member-groups = Группы в этой группе
field-side = Список
field-side-help = Белый сильнее чёрного; оба действуют раньше правил.
field-pattern-help = IP-адрес, диапазон, имя узла, например *.example.com, или почтовый адрес.
field-folder-help = Косая черта вкладывает папку в другую: Работа/Отчёты.
field-special-use = Назначение
field-tree = Домен или группа
field-tree-help = Пользователям домена можно читать, участникам группы — править; права меняют у первой папки.
field-tree-quota = Предел для всех этих папок
field-identifier = Кто
field-whom-user = Адрес
field-whom-group = Название группы
field-whom-domain = Домен
field-denied-rights = Запретить это, кто бы ни дал такие права
field-role = Может
field-letters = Подробно
field-export-folder = Папка
field-export-folder-help = Из каждого письма получатся два файла: его текст (.eml) и сведения очереди о нём (.json).
field-path = Файл
field-path-help = Имя с окончанием .jsonl даёт строки JSON, любое другое — текст. Существующий файл будет заменён.

## Вопросы

ask-domain = Удалить домен?
ask-domain-text = { $count ->
    [one] В домене { $name } { $count } пользователь.
    [few] В домене { $name } { $count } пользователя.
   *[many] В домене { $name } { $count } пользователей.
}
ask-domain-users = Удалить и пользователей вместе с их почтой
ask-user = { $count ->
    [one] Удалить пользователя?
    [few] Удалить { $count } пользователей?
   *[many] Удалить { $count } пользователей?
}
ask-user-text = { $name }: больше не сможет получать почту и входить.
ask-user-keep-mail = Оставить почтовый ящик на диске
ask-alias = Удалить псевдоним?
ask-alias-text = Почта на { $name } будет отклоняться.
ask-group = Удалить группу?
ask-group-text = { $name } потеряет участников и права на папки.
ask-tree = Удалить общие папки?
ask-tree-text = Все общие папки { $name } и все письма в них исчезнут навсегда.
ask-route = Удалить маршрут?
ask-route-text = Почта, которая шла по маршруту { $name }, пойдёт по следующему подходящему или обычным путём.
ask-entry = Удалить запись?
ask-entry-text = Для { $name } больше не будет исключения.
ask-folder = Удалить папку?
ask-folder-text = Папка { $name } и все письма в ней исчезнут навсегда.
ask-reports = Отправить отчёты сейчас?
ask-reports-text = Домены, которые этого желают, узнают, какая почта от их имени сюда приходила (DMARC) и как были защищены подключения к их серверам (TLS-RPT). Если это включено в настройках, так происходит раз в день само.
ask-dkim-remove = Удалить ключ?
ask-dkim-remove-text = Ключ { $name } исчезнет навсегда. Почту, которую он подписал, можно проверить, пока его запись стоит в DNS.
ask-dkim-enable = Подписывать ключом?
ask-dkim-enable-text = Другие могут проверить подписи ключа { $name }, только если его запись TXT стоит в DNS. Сначала опубликуйте запись.
ask-dkim-disable = Больше не подписывать ключом?
ask-dkim-disable-text = Почта больше не будет подписываться ключом { $name }. Оставьте его запись в DNS на несколько дней: письма ещё могут быть в пути.
ask-app-password = Удалить пароль приложения?
ask-app-password-text = Программа или устройство с паролем приложения «{ $name }» больше не сможет войти с ним.
ask-forget = Больше не продлевать сертификат?
ask-forget-text = Сертификат { $name } останется до конца срока и продлён не будет.
ask-certificate = Удалить сертификат?
ask-certificate-text = По сертификату { $name } больше никто не войдёт.
ask-revoke = Отозвать сертификат?
ask-revoke-text = Центр объявит, что сертификату { $name } больше нельзя верить. Сервер сразу запросит другой.
ask-account-key = Сменить ключ учётной записи?
ask-account-key-text = Учётная запись в центре получит новый ключ, старый после этого ничего не стоит. Сертификаты остаются прежними.
ask-server-certificate = Удалить сертификат?
ask-server-certificate-text = Сертификат { $name } и его ключ исчезнут навсегда. Его имена получат другой, какой есть.
ask-messages = { $count ->
    [one] Удалить { $count } письмо?
    [few] Удалить { $count } письма?
   *[many] Удалить { $count } писем?
}
ask-messages-text = { $count ->
    [one] Оно не будет доставлено.
    [few] Они не будут доставлены.
   *[many] Они не будут доставлены.
}
ask-messages-bounce = Сообщить отправителю, что доставки не было
ask-session = Завершить сеанс?
ask-session-text = { $name }: связь прервётся сразу; программа может подключиться снова.
ask-stop = Остановить { $name }?
ask-stop-text = { $name }: сеансы завершатся, порты закроются до следующего запуска.
conflict = Пока вы редактировали, это изменил кто-то другой. Ваши изменения не сохранены.
conflict-theirs = Показать новое
conflict-mine = Всё равно сохранить моё

## Параметры

settings-changed = { $count ->
    [one] Изменён { $shown }
    [few] Изменено { $shown }
   *[many] Изменено { $shown }
}
settings-conflict = Параметры тем временем изменил кто-то другой. Показаны новые значения, введённое вами сохранилось в полях. Сохраните ещё раз, если оно верно.
setting-default = { $now }; если не задано: { $default }
settings-group-server = Сервер
settings-group-smtp = SMTP
settings-group-submission = Отправка
settings-group-lmtp = LMTP
settings-group-web = Веб
settings-group-mta-sts = MTA-STS
settings-group-imap = IMAP
settings-group-pop3 = POP3
settings-group-net = Подключения
settings-group-forward = Пересылка
settings-group-dmarc = Отчёты (DMARC)
settings-group-tls-report = Отчёты (TLS-RPT)
settings-group-tls = TLS
settings-group-acme = Сертификаты от центра (ACME)
settings-group-oauth = Поставщик учётных записей
settings-group-fetch = Внешние ящики
settings-group-outgoing = Исходящая почта
settings-group-queue = Очередь
settings-group-log = Журнал
setting-server-hostname = Имя сервера
setting-server-hostname-help = Имя, которым сервер называет себя другим; оно должно быть в DNS.
setting-server-language = Язык
setting-server-language-help = Язык писем, которые пишет сам сервер.
setting-server-own-networks = Свои сети
setting-server-own-networks-help = Адреса и диапазоны, на которые не действуют ограничения и задержки, через запятую.
setting-server-postmaster = Администратор почты
setting-server-postmaster-help = Адрес, на который идут письма о работе сервера. Пусто: никому.
setting-smtp-message-size-max = Наибольшее письмо
setting-smtp-message-size-max-help = Письмо больше этого отклоняется ещё при передаче.
setting-smtp-recipients-max = Получателей у письма
setting-smtp-recipients-max-help = Не больше стольких в одной передаче.
setting-smtp-sender-checks = Проверять отправителей
setting-smtp-sender-checks-help = Проверяется ли почта извне на порту 25 по SPF, DKIM, DMARC и ARC. Результаты стоят в поле Authentication-Results и известны правилам; только из-за них ничего не отклоняется.
setting-smtp-sender-checks-own = Проверять и свои сети
setting-smtp-sender-checks-own-help = Иначе этот компьютер и сети, названные своими, не проверяются.
setting-smtp-sender-checks-timeout = Время на проверку отправителя
setting-smtp-sender-checks-timeout-help = Сколько всего ждать ответов DNS. На что ответа к тому времени нет, то временная ошибка, и письмо принимается.
setting-smtp-errors-max = Ошибок за сеанс
setting-smtp-errors-max-help = После стольких сеанс завершается.
setting-smtp-commands-max = Команд без письма
setting-smtp-commands-max-help = После стольких команд с последнего письма, которые ни к чему не ведут (NOOP, RSET, MAIL…), сеанс завершается.
setting-smtp-patience = Время без письма
setting-smtp-patience-help = Сеанс, в котором столько времени говорят, но письма не передают, завершается.
setting-smtp-verify = Отвечать на VRFY и EXPN
setting-smtp-verify-help = Сообщать вошедшим пользователям, есть ли такой адрес и куда он ведёт. Остальным это не сообщается никогда.
setting-submission-check-from = Проверять From
setting-submission-check-from-help = В поле From письма пользователя должен стоять адрес, с которого ему можно писать: собственный, псевдонима, группы или разрешённый поимённо.
setting-smtp-timeout = Ожидание команды
setting-smtp-timeout-help = Секунд до отключения молчащей стороны.
setting-smtp-sessions-max = Сеансов
setting-smtp-sessions-max-help = Не больше стольких одновременно.
setting-submission-sessions-max = Сеансов
setting-submission-sessions-max-help = Не больше стольких одновременно.
setting-lmtp-sessions-max = Сеансов
setting-lmtp-sessions-max-help = Не больше стольких одновременно.
setting-web-sessions-max = Соединений
setting-web-sessions-max-help = Не больше стольких одновременно.
setting-mta-sts-publish = Публиковать MTA-STS
setting-mta-sts-publish-help = Сообщает другим серверам, что почта для здешних доменов идёт только по проверенному TLS. Нужны веб-порты, сертификат для mta-sts.ДОМЕН и записи в DNS.
setting-imap-sessions-max = Сеансов
setting-imap-sessions-max-help = Не больше стольких одновременно.
setting-imap-timeout = Ожидание команды
setting-imap-timeout-help = Секунд до отключения молчащей почтовой программы.
setting-imap-capabilities-off = Отключённые возможности
setting-imap-capabilities-off-help = Для почтовых программ или пользователей, у которых с ними трудности: client ИМЯ: QRESYNC; user АДРЕС: COMPRESS. Звёздочка заменяет любой текст.
setting-imap-index = Указатель для поиска
setting-imap-index-help = Поиск по тексту писем отвечает по указателю, который строится в фоне. Без него каждый поиск читает все письма.
setting-pop3-sessions-max = Сеансов
setting-pop3-sessions-max-help = Не больше стольких одновременно.
setting-pop3-timeout = Ожидание команды
setting-pop3-timeout-help = Секунд до отключения молчащей почтовой программы.
setting-pop3-login-delay = Пауза между входами
setting-pop3-login-delay-help = Секунд между двумя входами одного пользователя. 0: без паузы.
setting-tls-client-certificates = Спрашивать сертификаты клиентов
setting-tls-client-certificates-help = Почтовые программы смогут показать сертификат и войти по нему (EXTERNAL): записанному за пользователем или выданному центром из tls/clients/ на адрес пользователя.
setting-acme-directory = Центр сертификации
setting-acme-directory-help = Адрес его каталога (ACME), например https://acme-v02.api.letsencrypt.org/directory. Пусто: сертификаты не запрашиваются и не продлеваются.
setting-acme-agree-terms = Условия приняты
setting-acme-agree-terms-help = Условия использования центра сертификации прочитаны и приняты.
setting-acme-contact = Для связи
setting-acme-contact-help = Почтовые адреса, на которые центр может писать, через запятую.
setting-acme-challenge = Подтверждение
setting-acme-challenge-help = Как центру показать, что имя наше: http-01 — на порту 80, tls-alpn-01 — на порту 443, dns-01 — записью в DNS. Для имён с * нужен dns-01.
setting-acme-dns-command = Программа для DNS
setting-acme-dns-command-help = Для dns-01: вызывается со словом add или remove, именем записи и текстом записи TXT.
setting-acme-dns-wait = Ожидание DNS
setting-acme-dns-wait-help = Столько секунд ждать появления записи, прежде чем центр попросят её проверить.
setting-acme-external-account = Внешняя учётная запись
setting-acme-external-account-help = Имя ключа, если центр требует заранее заведённую учётную запись; сам ключ HMAC лежит один в keys/acme каталога данных.
setting-acme-authority = Корни центра
setting-acme-authority-help = Файл PEM, который ручается за адрес самого центра, если центр внутренний. Пусто: за него ручаются корни этой машины.
setting-oauth-issuer = Поставщик учётных записей
setting-oauth-issuer-help = Издатель токенов, в точности как в них написано, например https://id.example.org. Пусто: токены не принимаются (OAUTHBEARER, XOAUTH2).
setting-oauth-audience = Для кого токены
setting-oauth-audience-help = Принимаются только токены для этого получателя (aud). Пусто: для любого.
setting-oauth-user-claim = Поле с именем пользователя
setting-oauth-user-claim-help = Поле токена, в котором стоит адрес пользователя.
setting-oauth-keys = Ключи поставщика
setting-oauth-keys-help = Где лежит его JWKS: адрес в сети (https) или файл. Ими проверяют подписанные токены.
setting-oauth-introspection-url = Проверка у поставщика
setting-oauth-introspection-url-help = По этому адресу показывают неподписанные токены, а без ключей — все (RFC 7662).
setting-oauth-client-id = Этот сервер у поставщика
setting-oauth-client-id-help = Имя клиента для проверки токенов; пароль к нему лежит отдельно в keys/oauth каталога данных.
setting-pop3-expire-days = Почта хранится, дней
setting-pop3-expire-days-help = Лишь сообщается почтовым программам; сам сервер ничего не удаляет. 0: всегда.
setting-pop3-implementation = Название сервера
setting-pop3-implementation-help = Что сообщается почтовым программам. Пусто: ничего.
setting-net-proxies = Прокси
setting-net-proxies-help = Адреса и сети балансировщиков, которые по протоколу PROXY (версии 1 или 2) сообщают, от чьего имени соединяются. Их соединения обязаны с этого начинаться.
setting-net-sessions-per-address-max = Сеансов с одного адреса
setting-net-sessions-per-address-max-help = По всем службам вместе.
setting-fetch-concurrency = Одновременных обращений к внешним ящикам
setting-fetch-concurrency-help = Остальные ждут, пока одно из обращений закончится.
setting-outgoing-smarthost = Узел-посредник
setting-outgoing-smarthost-help = Вся исходящая почта идёт через него. Пусто: прямо на серверы получателей.
setting-outgoing-smarthost-user = Имя для входа на узел-посредник
setting-outgoing-smarthost-user-help = Пусто: без входа.
setting-outgoing-port = Порт
setting-outgoing-port-help = Порт других серверов или узла-посредника.
setting-outgoing-concurrency = Исходящих подключений
setting-outgoing-concurrency-help = Не больше стольких одновременно.
setting-outgoing-host-concurrency = Подключений к одному серверу
setting-outgoing-host-concurrency-help = Не больше стольких одновременно, чтобы медленный сервер не занял все. Тот, кому нас слишком много, получает меньше.
setting-outgoing-host-rate = Сообщений в минуту одному серверу
setting-outgoing-host-rate-help = 0: сколько есть.
setting-outgoing-keep-time = Держать подключение
setting-outgoing-keep-time-help = Сколько подключение ждёт следующего сообщения тому же серверу. 0: закрывается сразу.
setting-outgoing-keep-messages = Сообщений по одному подключению
setting-outgoing-keep-messages-help = После стольких открывается новое.
setting-outgoing-rest-first = Первая передышка сервера
setting-outgoing-rest-first-help = Столько не беспокоим сервер, до которого не достучаться; каждый следующий раз — вдвое дольше.
setting-outgoing-rest-max = Самая долгая передышка
setting-outgoing-rest-max-help = Сколько бы раз подряд до сервера ни не удалось достучаться.
setting-outgoing-mta-sts = Соблюдать MTA-STS
setting-outgoing-mta-sts-help = Домены, объявившие такую политику, получают почту только по проверенным подключениям.
setting-outgoing-dane = Соблюдать DANE
setting-outgoing-dane-help = Серверы, чьи сертификаты названы в подписанных записях DNS, получают почту только по проверенным подключениям. Серверы имён должны передавать подписи.
setting-forward-srs = Свой адрес отправителя у пересылаемой почты (SRS)
setting-forward-srs-help = Почта, которую псевдоним или пользователь пересылает на другие серверы, уходит с адресом этого сервера, ведущим обратно к отправителю. Без этого её принимают за поддельную (SPF).
setting-tls-report-send = Отправлять отчёты о подключениях
setting-tls-report-send-help = Раз в день домены, которые этого желают, узнают, как были защищены подключения к их серверам и почему не были (TLS-RPT).
setting-dmarc-reports = Отправлять отчёты
setting-dmarc-reports-help = Раз в день домены, которые этого желают, узнают, какая почта от их имени сюда приходила и чем закончились её проверки.
setting-dmarc-organization = Организация в отчётах
setting-dmarc-organization-help = Кто сообщает — в отчётах о почте (DMARC) и о подключениях (TLS-RPT). Пусто: имя сервера.
setting-dmarc-contact = Адрес в отчётах
setting-dmarc-contact-help = Адрес, с которого приходят отчёты; почта его домена должна подписываться (DKIM). Пусто: адрес почтмейстера.
setting-queue-lifetime = Прекратить попытки через
setting-queue-lifetime-help = Секунд, после которых недоставленное письмо возвращается отправителю.
setting-queue-warn-after = Предупреждать о задержке через
setting-queue-warn-after-help = Отправителю один раз сообщат, что письмо ещё в пути. 0: никогда.
setting-queue-retry-first = Первая пауза
setting-queue-retry-first-help = Секунд до второй попытки; каждая следующая пауза длиннее.
setting-queue-retry-max = Самая долгая пауза
setting-queue-retry-max-help = Не больше стольких секунд между попытками.
setting-log-keep-days = Хранить дней
setting-log-keep-days-help = Более старые события удаляются.

## Хранение

storage-drivers = Драйверы этого сервера:
storage-check = Проверить почтовые ящики
storage-checking = Проверяем…
storage-repair = Исправить
certificate-add = Новый сертификат сервера
certificate-obtain = Получить сертификат у центра
certificate-obtain-do = Получить
certificate-reload = Перечитать папку
certificate-remove = Удалить сертификат { $name }
certificate-issuer = Кем выдан
certificate-end = Действует до
certificate-served = Используется для
certificate-served-never = ни для кого: для его имён есть лучший
certificate-default = всех прочих имён
certificate-self-signed = подписан сам собой
certificate-ended = истёк
certificate-ends-soon = { $days ->
    [one] истекает через { $days } день
    [few] истекает через { $days } дня
   *[many] истекает через { $days } дней
}
order-title = Продлевается сам: { $name }
order-working = запрашивается
order-failed = не получен
order-again = Запросить { $name } сейчас
order-revoke = Отозвать
order-revoke-one = Отозвать сертификат { $name }
account-key = Новый ключ учётной записи
account-key-change = Сменить ключ
order-forget = Не продлевать
order-forget-one = Больше не продлевать { $name }
order-next-try = Следующая попытка
order-reason = Почему не вышло
notice-forgotten = { $name } больше не продлевается.
notice-revoked = Сертификат { $name } отозван, запрашивается другой.
notice-account-key = У учётной записи в центре новый ключ.
notice-certificates-reloaded = Сертификаты перечитаны.
storage-checked = { $problems ->
    [0] Проверено: ящиков { $mailboxes }, писем { $messages }. Всё в порядке.
    [one] Проверено: ящиков { $mailboxes }, писем { $messages }. Найдено { $problems } повреждение.
    [few] Проверено: ящиков { $mailboxes }, писем { $messages }. Найдено { $problems } повреждения.
   *[many] Проверено: ящиков { $mailboxes }, писем { $messages }. Найдено { $problems } повреждений.
}
problem-repaired = исправлено
problem-open = не исправлено
kind-settings = Параметры
kind-domains = Домены
kind-users = Пользователи
kind-groups = Группы
kind-aliases = Псевдонимы
kind-folders = Папки
kind-messages = Письма
kind-rules = Правила
kind-lists = Списки рассылки
kind-access = Чёрный и белый списки
kind-queue = Очередь
kind-logs = Журнал
kind-log = Журнал

## Первые шаги

wizard-server = Имя сервера
wizard-server-text = Другие серверы узнают этот по имени. Возьмите имя, которое есть или будет в DNS и указывает на эту машину.
wizard-domain = Первый домен
wizard-domain-text = Домен ваших адресов. Другие можно добавить позже.
wizard-mailbox = Первый почтовый ящик
wizard-mailbox-text = С этим адресом и паролем почтовая программа сможет войти сразу.
wizard-records = Записи DNS
wizard-records-text = Опубликуйте эти записи там, где управляется ваш домен. До этого другие серверы не найдут этот.
wizard-ports = Порты
wizard-ports-text = Эти порты должны быть открыты в брандмауэре, а за маршрутизатором — перенаправлены на эту машину.
wizard-copy-all = Копировать все
copy-record = Копировать запись { $kind } для { $name }
dns-your-address = внешний IP-адрес этой машины
wizard-ptr = Попросите провайдера сделать для IP-адреса обратную запись (PTR) с именем сервера: без неё многие серверы не принимают почту.
dns-why-a = Адрес сервера.
dns-why-mx = Куда идёт почта домена.
dns-why-spf = Кто может отправлять от имени домена: только этот сервер.
dns-why-dmarc = Что другим делать с письмами, не прошедшими проверку, и куда о них сообщать.
dns-why-tls-report = Куда другие сообщают, что не могут подключиться к серверу безопасно.
dns-why-imaps = Позволяет почтовым программам самим найти IMAP.
dns-why-submissions = Позволяет почтовым программам самим найти, куда отправлять.
wizard-port = порт { $ports }
wizard-listens = слушает { $addresses }
wizard-listens-not = не работает
port-why-smtp = Сюда приходит почта от других серверов.
port-why-submission = Через него отправляют почтовые программы.
port-why-imap = Через него читают почтовые программы.
port-why-pop3 = Нужен только программам, которые забирают почту по POP3.
wizard-port25 = Многие провайдеры закрывают исходящий порт 25. Если почта другим остаётся в очереди из-за истёкшего ожидания, попросите открыть его или задайте узел-посредник в параметрах.

## О программе

about-what = Почтовый сервер на вашей машине
about-version = Версия этой программы
about-server = Сервер
about-server-version = Версия сервера
about-protocol = Протокол управления
about-target = Подключение через
about-licence = Лицензия
about-fonts = Шрифты
about-fonts-text = Inter (SIL Open Font License 1.1), Material Symbols (Apache License 2.0)
about-keys = Клавиши
about-keys-text = Ctrl+F — поиск, F5 — обновить, стрелки и Enter — в списках, Enter и Escape — в диалогах

## Отказы форм

refusal-field-required = Это поле нужно заполнить.
refusal-size-invalid = «{ $value }» — не размер. Напишите, например, 500 МБ.
refusal-number-invalid = «{ $value }» — не целое число.
refusal-other = { $text }

page-external = Внешние ящики
count-external = { $count ->
    [one] { $shown } ящик
    [few] { $shown } ящика
   *[other] { $shown } ящиков
}
external-none = Внешних ящиков нет
external-none-hint = Почту из ящиков у других провайдеров сервер забирает в ящики ваших пользователей.
external-add = Новый ящик
external-edit = Ящик { $name }
external-fetch = Забрать сейчас
external-test = Проверить
external-server = Сервер
external-last = Последний визит
external-next = Следующий визит
external-never = никогда
external-result = Итог
external-fetched = Забрано писем
external-skipped = Пропущено писем
external-running = забирает
external-fails = сбой
external-after-keep = остаётся
external-after-delete = удаляется
external-after-days = удаляется через несколько дней
external-after-in-days = { $count ->
    [one] удаляется через { $count } день
    [few] удаляется через { $count } дня
   *[other] удаляется через { $count } дней
}
external-protocol-pop3 = POP3
external-protocol-imap = IMAP
external-security-tls = TLS
external-security-starttls = STARTTLS
external-security-none = без шифрования
external-mechanism-auto = лучший из известных обоим
external-mechanism-scram = SCRAM-SHA-256
external-mechanism-cram = CRAM-MD5
external-mechanism-plain = PLAIN
external-mechanism-apop = APOP (POP3)
external-mechanism-login = имя и пароль
field-external-user = Пользователь
field-external-name = Имя
field-external-host = Сервер
field-external-port = Порт
field-external-login = Имя для входа
field-external-mechanism = Способ входа
field-external-certificate = Сертификат
field-external-certificate-help = Пусто: проверяется. Или отпечаток SHA-256 нужного; any: не проверяется.
field-external-folders = Какие папки забирать
field-external-folders-help = По одной в строке. Пусто: INBOX.
field-external-into = В папку
field-external-into-help = Пусто: как любую почту пользователя.
field-external-interval = Минут между визитами
field-external-after = Забранная почта там
field-external-days = Дней
field-external-mark-seen = Отмечать там прочитанной
field-external-enabled = Забирать почту самостоятельно
ask-external = Удалить ящик?
ask-external-text = Почта из { $name } больше не забирается. Забранное остаётся.
notice-external-fetching = Почта забирается.
notice-external-tested = { $server } пускает: { $mechanism }, { $tls }, { $count ->
    [one] { $count } письмо
    [few] { $count } письма
   *[other] { $count } писем
}.
