# Sentences that people in a chat read: kind, short, plain. The same messages as en.ftl, in the same order.

language-name = Español

seen = Veo {$tags}. Estas canciones le van bien:
seen-photos = {$n ->
    [one] Canciones para tu foto:
   *[other] Canciones para tus {$n} fotos juntas:
}
photo-sees = {$name}: {$tags}
photo-nothing = {$name}: nada que reconozca con seguridad
photo-fault = {$name}: {$reason}
unsure = No tengo claro qué se ve en esta foto, así que voy un poco a ojo. Una o dos palabras junto a la foto ayudan.
own-words = tus palabras
left-out = {$n ->
    [one] Se quedó fuera una foto más; puedo con {$max} a la vez.
   *[other] Se quedaron fuera {$n} fotos más; puedo con {$max} a la vez.
}
explicit = explícita
listen = Escuchar
more-heading = Más canciones para esta foto:

button-more = Más
button-why = ¿Por qué?
button-delete = Borrar

voted-up = ¡Qué bien que te guste!
voted-down = Anotado, menos como esta.
voted-none = Voto retirado.
voted-off = ¡Gracias! Solo orienta las próximas canciones aquí; no se aprende nada de ello.
deleted = Listo, borrado.
why-text = Por qué estas canciones
why-alt = La foto con las zonas en las que me fijé y las palabras que me sugirieron: {$reasons}
why-gone = Ya no tengo esta foto ni puedo volver a traerla, pero en palabras: {$reasons}

no-photo = Mándame una foto, o responde a una, y le busco canciones.
not-a-photo = Eso no puedo abrirlo como foto. JPEG, PNG, WebP, GIF y BMP sí me sirven.
unknown-format = Todavía no sé leer este tipo de foto (como HEIC). Mándala en JPEG, por favor.
too-large = Esta foto es demasiado grande para mí; hasta {$mib} MB no hay problema.
damaged = Esta foto llegó incompleta. Mándala otra vez, por favor.
unreachable = No pude descargar esta foto. Mándala otra vez, por favor.
hidden-photo = Desde aquí no veo esa foto. Usa el menú del mensaje: Aplicaciones → {$command}.
nothing-fits = Ninguna canción encaja con estos ajustes. ¿Y si permites más idiomas?
busy = Ahora mismo hay muchas fotos a la vez. Prueba de nuevo en {$seconds ->
    [one] un segundo.
   *[other] {$seconds} segundos.
}
cooldown = Un momentito: otra vez en {$seconds ->
    [one] un segundo.
   *[other] {$seconds} segundos.
}
switched-off = En este canal estoy apagado.
too-old = Estas canciones son de hace demasiado. Comparte la foto otra vez y te busco nuevas.
not-allowed = Eso solo puede hacerlo quien administra este sitio.
not-yours = Solo puede borrarlo quien lo pidió.
internal = Algo falló por mi parte; queda anotado ({$id}). Prueba otra vez, por favor.
apology = Me reiniciaron antes de poder responderte. Comparte la foto otra vez, por favor.

command-suggest-songs = Sugerir canciones
command-songs = Canciones que van con una foto
command-songs-photo = La foto
command-songs-hint = Una o dos palabras, como: noche de lluvia
command-songs-language = Idioma de las canciones
command-songs-mood = Ánimo, como: tranquilo
command-settings = Ajustes de este servidor o chat
command-privacy = Qué se guarda de ti y cómo borrarlo
command-about = Qué es este bot
command-help = Cómo pedir canciones
help = Mándame una foto en un chat privado, o escribe /songs en el pie de la foto o respondiendo a ella. Una o dos palabras al lado ayudan: lluvia, en francés.
help-group = En los grupos solo veo los comandos y las respuestas a mis mensajes, así que escribe /songs en el pie de una foto o respondiendo a una.
about = Miro una foto, digo qué se ve y busco canciones cuyas palabras encajen. El modelo funciona en el equipo propio de quien opera el bot; las fotos no se guardan. Versión {$version}.

settings-title = Ajustes
settings-language = Idioma
settings-language-auto = el de cada persona
settings-songs = Canciones por respuesta
settings-explicit = Canciones explícitas
settings-here = En este canal
settings-here-on = respondo
settings-here-off = guardo silencio
settings-automatic = Responder aquí a todas las fotos
settings-person-cooldown = Pausa por persona
settings-channel-cooldown = Pausa por canal
settings-changers = Quién puede cambiar esto
settings-changers-managers = quienes administran
settings-changers-everybody = todo el mundo
settings-exploration = Azar al elegir
settings-level = Qué se guarda de 👍 y 👎
on = activado
off = desactivado
seconds = {$n} s
saved = Guardado.

privacy-title = Tu privacidad
privacy-photos = Las fotos se miran en memoria y nunca se guardan; los nombres y los mensajes, tampoco.
privacy-level = De lo que pulsas se guarda: {$level}. Tú permites: {$chosen}. Este sitio permite: {$community}.
privacy-records = {$n ->
    [0] No se guarda nada sobre ti.
    [one] Hay un registro guardado bajo un hash con clave de tu ID, durante {$days} días como máximo.
   *[other] Hay {$n} registros guardados bajo un hash con clave de tu ID, durante {$days} días como máximo.
}
privacy-discord = Lo que pulsas en Discord nunca se usa para entrenar el modelo, salvo que Discord se lo haya permitido a quien opera el bot.
exploration-off = nada
exploration-little = un poco
exploration-some = algo
exploration-much = mucho
level-off = nada
level-counts = los «me gusta» por canción, sin ti
level-training = lo que pulsas y las etiquetas de la foto, para entrenar
level-unset = lo que permita este sitio
privacy-export = Ver mis datos
privacy-erase = Borrar mis datos
privacy-set-off = No guardar nada
privacy-set-counts = Solo contar
privacy-set-training = Ayudar a entrenar
privacy-set-unset = Lo que permita este sitio
privacy-erased = {$n ->
    [0] No había nada que borrar.
    [one] Un registro borrado; los que lleguen tarde se rechazarán.
   *[other] {$n} registros borrados; los que lleguen tarde se rechazarán.
}
privacy-exported = Esto es todo lo que hay guardado sobre ti.
notice-off = 👍 y 👎 solo orientan las próximas canciones aquí; no se aprende nada de ello. /privacy
notice-counts = 👍 y 👎 se cuentan por canción, sin ti. /privacy
notice-training = 👍 y 👎 se guardan con las etiquetas de la foto para entrenar el modelo, bajo un hash con clave de tu ID. Puedes negarte: /privacy

# The page of the HTTP interface.
web-title = Canciones para tu foto
web-lead = Suelta una foto y mira canciones cuyas palabras encajan con ella, y por qué.
web-photo = Foto
web-formats = JPEG, PNG, WebP, GIF o BMP, hasta {$mib} MB. Se mira en memoria y no se guarda.
web-hint = Una o dos palabras junto a la foto
web-hint-example = noche lluviosa
web-choices = Más opciones
web-languages = Idioma de las canciones
web-any = cualquiera
web-count = Número de canciones
web-clean = Sin canciones explícitas
web-send = Buscar canciones
web-looking = Estoy mirando tu foto …
web-unreachable = El servidor no respondió. Inténtalo de nuevo, por favor.
web-programs = Para programas
web-key = Clave de API
web-wrong-key = Hace falta la clave de API correcta.
web-no-photo = Elige primero una foto y le buscaré canciones.
web-answer = Canciones para tu foto
web-regions = Dónde miré y qué palabras despertó
web-songs = Estas canciones encajan
web-photo-alt = Tu foto con marcos numerados alrededor de las zonas que se indican abajo
