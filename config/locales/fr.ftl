# Sentences that people in a chat read: kind, short, plain. The same messages as en.ftl, in the same order.

language-name = Français

seen = Je vois {$tags}. Ces chansons vont bien avec :
seen-photos = {$n ->
    [one] Des chansons pour ta photo :
   *[other] Des chansons pour tes {$n} photos ensemble :
}
photo-sees = {$name} : {$tags}
photo-nothing = {$name} : rien que je reconnaisse à coup sûr
photo-fault = {$name} : {$reason}
unsure = J’hésite sur ce que montre cette photo, alors je devine un peu. Un mot ou deux à côté de la photo m’aideraient.
own-words = tes mots
left-out = {$n ->
    [one] J’ai laissé une photo de côté ; j’en prends {$max} à la fois.
   *[other] J’ai laissé {$n} photos de côté ; j’en prends {$max} à la fois.
}
explicit = explicite
listen = Écouter
more-heading = D’autres chansons pour cette photo :

button-more = Encore
button-why = Pourquoi ?
button-delete = Supprimer

voted-up = Content que ça te plaise !
voted-down = C’est noté, moins de chansons comme ça.
voted-none = C’est annulé.
voted-off = Merci ! Ça guide juste les prochaines chansons ici ; rien n’en est appris.
deleted = C’est effacé.
why-text = Pourquoi ces chansons
why-alt = La photo, avec les zones que j’ai regardées et les mots qu’elles m’ont inspirés : {$reasons}
why-gone = Je n’ai plus cette photo et je ne peux pas la récupérer, mais en mots : {$reasons}

no-photo = Envoie-moi une photo, ou réponds à une photo, et je lui trouve des chansons.
not-a-photo = Je n’arrive pas à ouvrir ça comme une photo. JPEG, PNG, WebP, GIF et BMP marchent.
unknown-format = Je ne sais pas encore lire ce genre de photo (comme le HEIC). Envoie-la plutôt en JPEG, s’il te plaît.
too-large = Cette photo est trop lourde pour moi ; jusqu’à {$mib} Mo, ça va.
damaged = Cette photo est arrivée incomplète. Renvoie-la, s’il te plaît.
unreachable = Je n’ai pas pu télécharger cette photo. Renvoie-la, s’il te plaît.
hidden-photo = D’ici, je ne vois pas cette photo. Passe par le menu du message : Applications → {$command}.
nothing-fits = Aucune chanson ne correspond à ces réglages. Et si tu autorisais plus de langues ?
busy = Beaucoup de photos à la fois en ce moment. Réessaie dans {$seconds ->
    [one] une seconde.
   *[other] {$seconds} secondes.
}
cooldown = Un petit instant : on reprend dans {$seconds ->
    [one] une seconde.
   *[other] {$seconds} secondes.
}
switched-off = Je suis désactivé dans ce salon.
too-old = Ces chansons datent un peu trop. Repartage la photo pour en avoir de nouvelles.
not-allowed = Seules les personnes qui gèrent cet endroit peuvent faire ça.
not-yours = Seule la personne qui a fait la demande peut supprimer ça.
internal = Quelque chose a mal tourné de mon côté ; c’est noté ({$id}). Réessaie, s’il te plaît.
apology = J’ai redémarré avant de pouvoir te répondre. Repartage la photo, s’il te plaît.

command-suggest-songs = Proposer des chansons
command-songs = Des chansons qui vont avec une photo
command-songs-photo = La photo
command-songs-hint = Un mot ou deux, par exemple : nuit de pluie
command-songs-language = Langue des chansons
command-songs-mood = Ambiance, par exemple : calme
command-settings = Réglages de ce serveur ou de cette discussion
command-privacy = Ce qui est gardé sur toi, et comment l’effacer
command-about = Ce qu’est ce bot
command-help = Comment demander des chansons
help = Envoie-moi une photo en privé, ou écris /songs en légende ou en réponse à une photo. Un mot ou deux à côté m’aident : pluie, en français.
help-group = Dans les groupes, je ne vois que les commandes et les réponses qu’on me fait ; écris donc /songs en légende d’une photo ou en réponse à une photo.
about = Je regarde une photo, je dis ce qu’elle montre et je trouve des chansons dont les mots vont avec. Le modèle tourne sur la machine de l’opérateur ; les photos ne sont pas gardées. Version {$version}.

settings-title = Réglages
settings-language = Langue
settings-language-auto = celle de chaque personne
settings-songs = Chansons par réponse
settings-explicit = Chansons explicites
settings-here = Dans ce salon
settings-here-on = je réponds
settings-here-off = je reste discret
settings-automatic = Répondre à chaque photo ici
settings-person-cooldown = Pause par personne
settings-channel-cooldown = Pause par salon
settings-changers = Qui peut changer ça
settings-changers-managers = les responsables
settings-changers-everybody = tout le monde
settings-exploration = Part du hasard
settings-level = Ce qui est gardé des 👍 et 👎
on = activé
off = désactivé
seconds = {$n} s
saved = C’est enregistré.

privacy-title = Ta vie privée
privacy-photos = Les photos sont regardées en mémoire et jamais enregistrées ; les noms et les messages non plus.
privacy-level = Gardé de tes clics : {$level}. Tu autorises : {$chosen}. Cet endroit autorise : {$community}.
privacy-records = {$n ->
    [0] Rien n’est enregistré sur toi.
    [one] Une entrée est enregistrée sous un hachage à clé de ton identifiant, pour {$days} jours au plus.
   *[other] {$n} entrées sont enregistrées sous un hachage à clé de ton identifiant, pour {$days} jours au plus.
}
privacy-discord = Les clics venus de Discord ne servent jamais à entraîner le modèle, sauf si Discord l’a permis à l’opérateur.
exploration-off = aucune
exploration-little = un peu
exploration-some = moyenne
exploration-much = beaucoup
level-off = rien
level-counts = les « j’aime » par chanson, sans lien avec toi
level-training = les clics et les mots-clés de la photo, pour l’entraînement
level-unset = ce que cet endroit autorise
privacy-export = Voir mes données
privacy-erase = Effacer mes données
privacy-set-off = Ne rien garder
privacy-set-counts = Compter seulement
privacy-set-training = Aider l’entraînement
privacy-set-unset = Selon cet endroit
privacy-erased = {$n ->
    [0] Il n’y avait rien à effacer.
    [one] Une entrée effacée ; les retardataires seront refusées.
   *[other] {$n} entrées effacées ; les retardataires seront refusées.
}
privacy-exported = Voici tout ce qui est enregistré sur toi.
notice-off = 👍 et 👎 guident juste les prochaines chansons ici ; rien n’en est appris. /privacy
notice-counts = 👍 et 👎 sont comptés par chanson, sans lien avec toi. /privacy
notice-training = 👍 et 👎 sont gardés avec les mots-clés de la photo pour entraîner le modèle, sous un hachage à clé de ton identifiant. Tu peux refuser : /privacy

# The page of the HTTP interface.
web-title = Des chansons pour ta photo
web-lead = Dépose une photo et vois des chansons dont les mots lui vont, et pourquoi.
web-photo = Photo
web-formats = JPEG, PNG, WebP, GIF ou BMP, jusqu’à {$mib} Mo. Elle est regardée en mémoire et n’est pas conservée.
web-hint = Un mot ou deux avec la photo
web-hint-example = nuit pluvieuse
web-choices = Plus de choix
web-languages = Langue des chansons
web-any = peu importe
web-count = Nombre de chansons
web-clean = Sans chansons explicites
web-send = Trouver des chansons
web-looking = Je regarde ta photo …
web-unreachable = Le serveur n’a pas répondu. Réessaie, s’il te plaît.
web-programs = Pour les programmes
web-key = Clé d’API
web-wrong-key = Il faut la bonne clé d’API.
web-no-photo = Choisis d’abord une photo, et je lui trouverai des chansons.
web-answer = Des chansons pour ta photo
web-regions = Où j’ai regardé, et les mots que cela a éveillés
web-songs = Ces chansons vont bien
web-photo-alt = Ta photo avec des cadres numérotés autour des zones listées ci-dessous
