# Sentences that people in a chat read: kind, short, plain. What stands in braces is filled in by the program; each
# file of this folder has the same messages.

language-name = English

# An answer. $tags is a list such as "beach, sea, sunset".
seen = I see {$tags}. These songs fit:
seen-photos = {$n ->
    [one] Songs for your photo:
   *[other] Songs for your {$n} photos together:
}
photo-sees = {$name}: {$tags}
photo-nothing = {$name}: nothing I know for sure
photo-fault = {$name}: {$reason}
unsure = I am not sure what this photo shows, so take these as a guess. A word or two beside the photo helps.
own-words = your words
left-out = {$n ->
    [one] One more photo was left out; I take {$max} at a time.
   *[other] {$n} more photos were left out; I take {$max} at a time.
}
explicit = explicit
listen = Listen
more-heading = More songs for this photo:

# Buttons.
button-more = More
button-why = Why?
button-delete = Delete

# What a press came to.
voted-up = Glad you like it!
voted-down = Noted, fewer like this.
voted-none = Taken back.
voted-off = Thanks! It only steers the next songs here; nothing is learned from it.
deleted = Gone.
why-text = Why these songs
why-alt = The photo with the regions I looked at and the words they woke: {$reasons}
why-gone = I no longer have this photo and cannot fetch it again, but in words: {$reasons}

# Why there is no answer.
no-photo = Send me a photo, or reply to one, and I will find songs for it.
not-a-photo = That is no photo I can open. JPEG, PNG, WebP, GIF and BMP work.
unknown-format = I cannot read this kind of photo (such as HEIC) yet. Please send it as JPEG.
too-large = This photo is too large for me; up to {$mib} MB is fine.
damaged = This photo arrived incomplete. Please send it again.
unreachable = I could not download this photo. Please send it again.
hidden-photo = I cannot see that photo from here. Use the message menu: Apps → {$command}.
nothing-fits = No song fits these settings. Allow more languages, perhaps?
busy = Many photos at once right now. Please try again in {$seconds ->
    [one] a second.
   *[other] {$seconds} seconds.
}
cooldown = One moment please: again in {$seconds ->
    [one] a second.
   *[other] {$seconds} seconds.
}
switched-off = I am switched off in this channel.
too-old = These songs are from too long ago. Share the photo again for fresh ones.
not-allowed = Only people who manage this place may do that.
not-yours = Only the person who asked may delete this.
internal = Something went wrong on my side; it is noted ({$id}). Please try again.
apology = I was restarted before I could answer this. Please share the photo again.

# Commands.
command-suggest-songs = Suggest songs
command-songs = Songs that fit a photo
command-songs-photo = The photo
command-songs-hint = A word or two, such as: rainy night
command-songs-language = Language of the songs
command-songs-mood = Mood, such as: calm
command-settings = Settings of this server or chat
command-privacy = What is kept of you, and how to delete it
command-about = What this bot is
command-help = How to ask for songs
help = Send me a photo in a private chat, or write /songs as its caption or as a reply to it. A word or two beside the photo helps: rainy, in French.
help-group = In groups I only see commands and replies to me, so write /songs as the caption of a photo or as a reply to one.
about = I look at a photo, say what it shows, and find songs whose words fit. The model runs on the operator's own machine; photos are not kept. Version {$version}.

# Settings.
settings-title = Settings
settings-language = Language
settings-language-auto = like each person
settings-songs = Songs per answer
settings-explicit = Explicit songs
settings-here = In this channel
settings-here-on = I answer
settings-here-off = I stay quiet
settings-automatic = Answer every photo here
settings-person-cooldown = Pause per person
settings-channel-cooldown = Pause per channel
settings-changers = Who may change this
settings-changers-managers = managers
settings-changers-everybody = everybody
settings-exploration = How much chance picks
settings-level = What is kept of 👍 and 👎
on = on
off = off
seconds = {$n} s
saved = Saved.

# Privacy.
privacy-title = Your privacy
privacy-photos = Photos are looked at in memory and never stored; neither are names or messages.
privacy-level = Kept of your presses: {$level}. You allow: {$chosen}. This place allows: {$community}.
privacy-records = {$n ->
    [0] Nothing is stored about you.
    [one] One record is stored under a keyed hash of your id, for at most {$days} days.
   *[other] {$n} records are stored under a keyed hash of your id, for at most {$days} days.
}
privacy-discord = Presses from Discord are never used to train the model unless Discord has allowed it to the operator.
exploration-off = off
exploration-little = a little
exploration-some = some
exploration-much = a lot
level-off = nothing
level-counts = likes per song, without you
level-training = presses and the photo's tags, for training
level-unset = whatever this place allows
privacy-export = Show my data
privacy-erase = Delete my data
privacy-set-off = Keep nothing
privacy-set-counts = Only counts
privacy-set-training = Help to train
privacy-set-unset = As this place allows
privacy-erased = {$n ->
    [0] There was nothing to delete.
    [one] One record deleted, and late ones will be refused.
   *[other] {$n} records deleted, and late ones will be refused.
}
privacy-exported = Here is all that is stored about you.
notice-off = 👍 and 👎 only steer the next songs here; nothing is learned from them. /privacy
notice-counts = 👍 and 👎 are counted per song, without you. /privacy
notice-training = 👍 and 👎 are kept with the photo's tags to train the model, under a keyed hash of your id. You can refuse: /privacy

# The page of the HTTP interface.
web-title = Songs for your photo
web-lead = Drop a photo and see songs whose words fit it, and why.
web-photo = Photo
web-formats = JPEG, PNG, WebP, GIF or BMP, up to {$mib} MB. It is looked at in memory and not kept.
web-hint = A word or two beside the photo
web-hint-example = rainy night
web-choices = More choices
web-languages = Language of the songs
web-any = any
web-count = Number of songs
web-clean = Leave out explicit songs
web-send = Find songs
web-looking = I am looking at your photo …
web-unreachable = The server did not answer. Please try again.
web-programs = For programs
web-key = API key
web-wrong-key = This needs the right API key.
web-no-photo = Choose a photo first, and I will find songs for it.
web-answer = Songs for your photo
web-regions = Where I looked, and the words it woke
web-songs = These songs fit
web-photo-alt = Your photo with numbered frames around the regions listed below
