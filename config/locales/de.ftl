# Sentences that people in a chat read: kind, short, plain. The same messages as en.ftl, in the same order.

language-name = Deutsch

seen = Ich sehe {$tags}. Dazu passt:
seen-photos = {$n ->
    [one] Songs zu deinem Foto:
   *[other] Songs zu deinen {$n} Fotos zusammen:
}
photo-sees = {$name}: {$tags}
photo-nothing = {$name}: nichts, was ich sicher erkenne
photo-fault = {$name}: {$reason}
unsure = Ich bin nicht sicher, was auf dem Foto ist, also rate ich mal. Ein, zwei Worte zum Foto helfen mir.
own-words = deine Worte
left-out = {$n ->
    [one] Ein weiteres Foto habe ich ausgelassen; mehr als {$max} auf einmal schaffe ich nicht.
   *[other] {$n} weitere Fotos habe ich ausgelassen; mehr als {$max} auf einmal schaffe ich nicht.
}
explicit = explizit
listen = Anhören
more-heading = Mehr Songs zu diesem Foto:

button-more = Mehr
button-why = Warum?
button-delete = Löschen

voted-up = Schön, dass es dir gefällt!
voted-down = Alles klar, davon weniger.
voted-none = Zurückgenommen.
voted-off = Danke! Das beeinflusst nur die nächsten Songs hier, gelernt wird daraus nichts.
deleted = Ist weg.
why-text = Warum diese Songs
why-alt = Das Foto mit den Stellen, die ich mir angesehen habe, und den Worten, auf die sie mich gebracht haben: {$reasons}
why-gone = Das Foto habe ich nicht mehr und komme auch nicht mehr dran, aber in Worten: {$reasons}

no-photo = Schick mir ein Foto oder antworte auf eins, dann suche ich Songs dazu.
not-a-photo = Das kann ich nicht als Foto öffnen. JPEG, PNG, WebP, GIF und BMP klappen.
unknown-format = Solche Fotos (etwa HEIC) kann ich noch nicht lesen. Schick es bitte als JPEG.
too-large = Das Foto ist mir zu groß; bis {$mib} MB geht es.
damaged = Das Foto kam nicht vollständig an. Schick es bitte noch einmal.
unreachable = Ich konnte das Foto nicht herunterladen. Schick es bitte noch einmal.
hidden-photo = Von hier aus sehe ich das Foto nicht. Nimm das Menü der Nachricht: Apps → {$command}.
nothing-fits = Zu diesen Einstellungen passt kein Song. Vielleicht mehr Sprachen erlauben?
busy = Gerade kommen viele Fotos auf einmal. Versuch es bitte noch mal in {$seconds ->
    [one] einer Sekunde.
   *[other] {$seconds} Sekunden.
}
cooldown = Einen Moment bitte, weiter geht’s in {$seconds ->
    [one] einer Sekunde.
   *[other] {$seconds} Sekunden.
}
switched-off = In diesem Kanal bin ich ausgeschaltet.
too-old = Diese Songs sind schon zu lange her. Teil das Foto noch mal, dann gibt’s neue.
not-allowed = Das darf nur, wer hier verwaltet.
not-yours = Löschen darf das nur, wer gefragt hat.
internal = Bei mir ist etwas schiefgegangen; es ist notiert ({$id}). Versuch es bitte noch mal.
apology = Ich wurde neu gestartet, bevor ich antworten konnte. Teil das Foto bitte noch mal.

command-suggest-songs = Songs vorschlagen
command-songs = Songs, die zu einem Foto passen
command-songs-photo = Das Foto
command-songs-hint = Ein, zwei Worte, etwa: verregnete Nacht
command-songs-language = Sprache der Songs
command-songs-mood = Stimmung, etwa: ruhig
command-settings = Einstellungen dieses Servers oder Chats
command-privacy = Was von dir gespeichert wird und wie du es löschst
command-about = Was dieser Bot ist
command-help = So fragst du nach Songs
help = Schick mir ein Foto im privaten Chat oder schreib /songs als Bildunterschrift oder als Antwort darauf. Ein, zwei Worte dazu helfen: regnerisch, auf Französisch.
help-group = In Gruppen sehe ich nur Befehle und Antworten an mich. Schreib also /songs als Bildunterschrift zu einem Foto oder als Antwort auf eins.
about = Ich schaue mir ein Foto an, sage, was drauf ist, und suche Songs, deren Worte dazu passen. Das Modell läuft auf dem eigenen Rechner des Betreibers; Fotos werden nicht aufbewahrt. Version {$version}.

settings-title = Einstellungen
settings-language = Sprache
settings-language-auto = je nach Person
settings-songs = Songs pro Antwort
settings-explicit = Explizite Songs
settings-here = In diesem Kanal
settings-here-on = antworte ich
settings-here-off = bleibe ich still
settings-automatic = Hier auf jedes Foto antworten
settings-person-cooldown = Pause pro Person
settings-channel-cooldown = Pause pro Kanal
settings-changers = Wer das ändern darf
settings-changers-managers = wer hier verwaltet
settings-changers-everybody = alle
settings-exploration = Zufall bei der Auswahl
settings-level = Was von 👍 und 👎 gespeichert wird
on = an
off = aus
seconds = {$n} s
saved = Gespeichert.

privacy-title = Deine Privatsphäre
privacy-photos = Fotos sehe ich mir nur im Arbeitsspeicher an, gespeichert werden sie nie; Namen und Nachrichten auch nicht.
privacy-level = Von deinen Klicks wird gespeichert: {$level}. Du erlaubst: {$chosen}. Hier ist erlaubt: {$community}.
privacy-records = {$n ->
    [0] Über dich ist nichts gespeichert.
    [one] Ein Eintrag ist unter einem Hash deiner ID mit geheimem Schlüssel gespeichert, höchstens {$days} Tage lang.
   *[other] {$n} Einträge sind unter einem Hash deiner ID mit geheimem Schlüssel gespeichert, höchstens {$days} Tage lang.
}
privacy-discord = Mit Klicks aus Discord wird das Modell nie trainiert, außer Discord hat es dem Betreiber erlaubt.
exploration-off = aus
exploration-little = ein wenig
exploration-some = etwas
exploration-much = viel
level-off = nichts
level-counts = Likes pro Song, ohne Bezug zu dir
level-training = Klicks und die Stichworte zum Foto, fürs Training
level-unset = was hier erlaubt ist
privacy-export = Meine Daten zeigen
privacy-erase = Meine Daten löschen
privacy-set-off = Nichts speichern
privacy-set-counts = Nur zählen
privacy-set-training = Beim Training helfen
privacy-set-unset = Was hier erlaubt ist
privacy-erased = {$n ->
    [0] Es gab nichts zu löschen.
    [one] Ein Eintrag ist gelöscht, und Nachzügler werden abgewiesen.
   *[other] {$n} Einträge sind gelöscht, und Nachzügler werden abgewiesen.
}
privacy-exported = Das ist alles, was über dich gespeichert ist.
notice-off = 👍 und 👎 beeinflussen nur die nächsten Songs hier; gelernt wird daraus nichts. /privacy
notice-counts = 👍 und 👎 werden pro Song gezählt, ohne Bezug zu dir. /privacy
notice-training = 👍 und 👎 werden mit den Stichworten zum Foto gespeichert, um das Modell zu trainieren, unter einem Hash deiner ID mit geheimem Schlüssel. Du kannst ablehnen: /privacy

# The page of the HTTP interface.
web-title = Songs zu deinem Foto
web-lead = Leg ein Foto ab und sieh Songs, deren Worte dazu passen, und warum.
web-photo = Foto
web-formats = JPEG, PNG, WebP, GIF oder BMP, bis {$mib} MB. Es wird nur im Arbeitsspeicher angesehen und nicht aufbewahrt.
web-hint = Ein, zwei Wörter zum Foto
web-hint-example = verregnete Nacht
web-choices = Mehr Auswahl
web-languages = Sprache der Songs
web-any = egal
web-count = Anzahl der Songs
web-clean = Ohne anstößige Texte
web-send = Songs finden
web-looking = Ich sehe mir dein Foto an …
web-unreachable = Der Server hat nicht geantwortet. Bitte versuch es noch einmal.
web-programs = Für Programme
web-key = API-Schlüssel
web-wrong-key = Dafür braucht es den richtigen API-Schlüssel.
web-no-photo = Wähl zuerst ein Foto aus, dann finde ich Songs dazu.
web-answer = Songs zu deinem Foto
web-regions = Wo ich hingesehen habe und welche Wörter es weckte
web-songs = Diese Songs passen
web-photo-alt = Dein Foto mit nummerierten Rahmen um die unten genannten Bereiche
