# Sentences that people in a chat read: kind, short, plain. The same messages as en.ftl, in the same order.

language-name = Português

seen = Vejo {$tags}. Estas músicas combinam:
seen-photos = {$n ->
    [one] Músicas para a sua foto:
   *[other] Músicas para as suas {$n} fotos juntas:
}
photo-sees = {$name}: {$tags}
photo-nothing = {$name}: nada que eu reconheça com certeza
photo-fault = {$name}: {$reason}
unsure = Não sei bem o que esta foto mostra, então isto é só um palpite. Uma ou duas palavras junto da foto ajudam.
own-words = suas palavras
left-out = {$n ->
    [one] Mais uma foto ficou de fora; consigo ver {$max} de cada vez.
   *[other] Mais {$n} fotos ficaram de fora; consigo ver {$max} de cada vez.
}
explicit = explícita
listen = Ouvir
more-heading = Mais músicas para esta foto:

button-more = Mais
button-why = Por quê?
button-delete = Apagar

voted-up = Que bom que você gostou!
voted-down = Anotado, menos músicas assim.
voted-none = Voto retirado.
voted-off = Valeu! Isso só orienta as próximas músicas aqui; nada é aprendido com isso.
deleted = Pronto, apagado.
why-text = Por que estas músicas
why-alt = A foto com as partes que observei e as palavras que elas me trouxeram: {$reasons}
why-gone = Já não tenho esta foto e não consigo buscá-la de novo, mas em palavras: {$reasons}

no-photo = Envie uma foto, ou responda a uma, e eu encontro músicas para ela.
not-a-photo = Não consigo abrir isso como foto. JPEG, PNG, WebP, GIF e BMP funcionam.
unknown-format = Ainda não consigo ler este tipo de foto (como HEIC). Envie em JPEG, por favor.
too-large = Esta foto é grande demais para mim; até {$mib} MB tudo bem.
damaged = Esta foto chegou incompleta. Envie de novo, por favor.
unreachable = Não consegui baixar esta foto. Envie de novo, por favor.
hidden-photo = Daqui não consigo ver essa foto. Use o menu da mensagem: Apps → {$command}.
nothing-fits = Nenhuma música combina com estas configurações. Que tal permitir mais idiomas?
busy = Muitas fotos ao mesmo tempo agora. Tente de novo em {$seconds ->
    [one] um segundo.
   *[other] {$seconds} segundos.
}
cooldown = Só um momento: de novo em {$seconds ->
    [one] um segundo.
   *[other] {$seconds} segundos.
}
switched-off = Estou desligado neste canal.
too-old = Estas músicas já são de há muito tempo. Compartilhe a foto de novo para receber outras.
not-allowed = Só quem administra este espaço pode fazer isso.
not-yours = Só quem pediu pode apagar isto.
internal = Algo deu errado do meu lado; já ficou anotado ({$id}). Tente de novo, por favor.
apology = Fui reiniciado antes de conseguir responder. Compartilhe a foto de novo, por favor.

command-suggest-songs = Sugerir músicas
command-songs = Músicas que combinam com uma foto
command-songs-photo = A foto
command-songs-hint = Uma ou duas palavras, como: noite de chuva
command-songs-language = Idioma das músicas
command-songs-mood = Clima, como: calmo
command-settings = Configurações deste servidor ou chat
command-privacy = O que fica guardado sobre você e como apagar
command-about = O que é este bot
command-help = Como pedir músicas
help = Envie uma foto numa conversa privada, ou escreva /songs na legenda ou em resposta a ela. Uma ou duas palavras junto da foto ajudam: chuva, em francês.
help-group = Em grupos só vejo comandos e respostas a mim, então escreva /songs na legenda de uma foto ou em resposta a uma.
about = Olho para uma foto, digo o que ela mostra e encontro músicas com palavras que combinam. O modelo roda na própria máquina do operador; as fotos não são guardadas. Versão {$version}.

settings-title = Configurações
settings-language = Idioma
settings-language-auto = o de cada pessoa
settings-songs = Músicas por resposta
settings-explicit = Músicas explícitas
settings-here = Neste canal
settings-here-on = eu respondo
settings-here-off = fico em silêncio
settings-automatic = Responder a todas as fotos aqui
settings-person-cooldown = Pausa por pessoa
settings-channel-cooldown = Pausa por canal
settings-changers = Quem pode mudar isto
settings-changers-managers = quem administra
settings-changers-everybody = todo mundo
settings-exploration = Acaso na escolha
settings-level = O que fica guardado de 👍 e 👎
on = ligado
off = desligado
seconds = {$n} s
saved = Salvo.

privacy-title = Sua privacidade
privacy-photos = As fotos são vistas só na memória e nunca guardadas; nomes e mensagens também não.
privacy-level = Dos seus cliques fica guardado: {$level}. Você permite: {$chosen}. Este espaço permite: {$community}.
privacy-records = {$n ->
    [0] Nada está guardado sobre você.
    [one] Um registro está guardado sob um hash com chave do seu ID, por no máximo {$days} dias.
   *[other] {$n} registros estão guardados sob um hash com chave do seu ID, por no máximo {$days} dias.
}
privacy-discord = Os cliques vindos do Discord nunca são usados para treinar o modelo, a não ser que o Discord tenha permitido isso ao operador.
exploration-off = nenhum
exploration-little = um pouco
exploration-some = algum
exploration-much = muito
level-off = nada
level-counts = curtidas por música, sem ligação com você
level-training = os cliques e as etiquetas da foto, para treino
level-unset = o que este espaço permitir
privacy-export = Ver meus dados
privacy-erase = Apagar meus dados
privacy-set-off = Não guardar nada
privacy-set-counts = Só contar
privacy-set-training = Ajudar no treino
privacy-set-unset = O que este espaço permitir
privacy-erased = {$n ->
    [0] Não havia nada para apagar.
    [one] Um registro apagado; os que chegarem atrasados serão recusados.
   *[other] {$n} registros apagados; os que chegarem atrasados serão recusados.
}
privacy-exported = Isto é tudo o que está guardado sobre você.
notice-off = 👍 e 👎 só orientam as próximas músicas aqui; nada é aprendido com isso. /privacy
notice-counts = 👍 e 👎 são contados por música, sem ligação com você. /privacy
notice-training = 👍 e 👎 são guardados com as etiquetas da foto para treinar o modelo, sob um hash com chave do seu ID. Você pode recusar: /privacy

# The page of the HTTP interface.
web-title = Músicas para a sua foto
web-lead = Solte uma foto e veja músicas cujas palavras combinam com ela, e por quê.
web-photo = Foto
web-formats = JPEG, PNG, WebP, GIF ou BMP, até {$mib} MB. Ela é vista na memória e não é guardada.
web-hint = Uma ou duas palavras junto da foto
web-hint-example = noite chuvosa
web-choices = Mais opções
web-languages = Idioma das músicas
web-any = qualquer um
web-count = Número de músicas
web-clean = Sem músicas explícitas
web-send = Achar músicas
web-looking = Estou olhando a sua foto …
web-unreachable = O servidor não respondeu. Tente de novo, por favor.
web-programs = Para programas
web-key = Chave da API
web-wrong-key = É preciso a chave certa da API.
web-no-photo = Escolha primeiro uma foto, e eu acho músicas para ela.
web-answer = Músicas para a sua foto
web-regions = Onde olhei e as palavras que isso despertou
web-songs = Estas músicas combinam
web-photo-alt = A sua foto com molduras numeradas em volta das áreas listadas abaixo
