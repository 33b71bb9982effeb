# Sentences that people in a chat read: kind, short, plain. The same messages as en.ftl, in the same order.

language-name = 日本語

seen = {$tags}が見えます。こんな曲が合いそうです：
seen-photos = {$n ->
   *[other] 写真{$n}枚に合わせた曲です：
}
photo-sees = {$name}：{$tags}
photo-nothing = {$name}：はっきりわかるものはありませんでした
photo-fault = {$name}：{$reason}
unsure = 何の写真か自信がないので、当てずっぽうだと思ってください。写真にひとこと添えてもらえると助かります。
own-words = あなたの言葉
left-out = {$n ->
   *[other] 写真は一度に{$max}枚までなので、残りの{$n}枚は見ていません。
}
explicit = 過激な表現あり
listen = 聴く
more-heading = この写真に合う曲をもっと：

button-more = もっと
button-why = どうして？
button-delete = 削除

voted-up = 気に入ってもらえてうれしいです！
voted-down = わかりました。似た曲は控えめにしますね。
voted-none = 取り消しました。
voted-off = ありがとうございます！ここでの次の選曲に生かすだけで、学習には使いません。
deleted = 消しました。
why-text = この曲を選んだ理由
why-alt = 写真の中で注目した部分と、そこから浮かんだ言葉：{$reasons}
why-gone = この写真はもう手元になく、取り直すこともできませんが、言葉にするとこうです：{$reasons}

no-photo = 写真を送るか、写真に返信してください。ぴったりの曲を探します。
not-a-photo = これは写真として開けませんでした。JPEG、PNG、WebP、GIF、BMPなら大丈夫です。
unknown-format = この形式の写真（HEICなど）はまだ読めません。JPEGで送ってもらえますか？
too-large = この写真は大きすぎるようです。{$mib} MBまでなら大丈夫です。
damaged = 写真が途中までしか届きませんでした。もう一度送ってください。
unreachable = 写真をダウンロードできませんでした。もう一度送ってください。
hidden-photo = ここからはその写真が見えません。メッセージのメニューから「アプリ → {$command}」を使ってください。
nothing-fits = この設定に合う曲が見つかりませんでした。言語の範囲を広げてみませんか？
busy = いま写真がたくさん届いています。{$seconds ->
   *[other] {$seconds}秒後にもう一度お試しください。
}
cooldown = 少しだけお待ちください。{$seconds ->
   *[other] {$seconds}秒後にまたどうぞ。
}
switched-off = このチャンネルではオフになっています。
too-old = この曲の一覧はだいぶ前のものです。写真をもう一度送ってもらえれば、新しく選びます。
not-allowed = これができるのは、ここの管理者だけです。
not-yours = 削除できるのは、お願いした本人だけです。
internal = こちらで問題が起きました。記録しておきました（{$id}）。もう一度お試しください。
apology = お返事する前に再起動してしまいました。すみませんが、写真をもう一度送ってください。

command-suggest-songs = 曲を提案
command-songs = 写真に合う曲を探します
command-songs-photo = 写真
command-songs-hint = ひとこと（例：雨の夜）
command-songs-language = 曲の言語
command-songs-mood = 気分（例：穏やか）
command-settings = このサーバーやチャットの設定
command-privacy = あなたについて保存されるものと、その消し方
command-about = このボットについて
command-help = 曲の頼み方
help = 個人チャットで写真を送るか、写真のキャプションや写真への返信に /songs と書いてください。「雨、フランス語で」のように、ひとこと添えてもらえると助かります。
help-group = グループではコマンドと自分への返信しか見えないので、写真のキャプションか写真への返信に /songs と書いてください。
about = 写真を見て、何が写っているかを伝え、言葉の合う曲を探します。モデルは運営者のマシンで動いていて、写真は保存しません。バージョン {$version}。

settings-title = 設定
settings-language = 言語
settings-language-auto = それぞれの人に合わせる
settings-songs = 1回の曲数
settings-explicit = 過激な表現のある曲
settings-here = このチャンネルでは
settings-here-on = 答えます
settings-here-off = 静かにしています
settings-automatic = ここの写真すべてに答える
settings-person-cooldown = 1人ごとの間隔
settings-channel-cooldown = チャンネルごとの間隔
settings-changers = 設定を変えられる人
settings-changers-managers = 管理者
settings-changers-everybody = 全員
settings-exploration = 曲選びの偶然
settings-level = 👍 と 👎 から保存するもの
on = オン
off = オフ
seconds = {$n}秒
saved = 保存しました。

privacy-title = あなたのプライバシー
privacy-photos = 写真はメモリ上で見るだけで、保存しません。名前やメッセージも保存しません。
privacy-level = ボタンの操作から保存するもの：{$level}。あなたの許可：{$chosen}。この場所の許可：{$community}。
privacy-records = {$n ->
    [0] あなたについては何も保存していません。
   *[other] 記録が{$n}件、あなたのIDの鍵付きハッシュのもとに、長くて{$days}日間保存されます。
}
privacy-discord = Discordでのボタン操作は、Discordが運営者に許可していないかぎり、モデルの学習には決して使いません。
exploration-off = なし
exploration-little = 少し
exploration-some = ほどほど
exploration-much = 多め
level-off = なし
level-counts = 曲ごとの「いいね」の数（あなたとは結びつけません）
level-training = ボタンの操作と写真のタグ（学習用）
level-unset = この場所の許可に合わせる
privacy-export = 自分のデータを見る
privacy-erase = 自分のデータを削除
privacy-set-off = 何も残さない
privacy-set-counts = 数だけ
privacy-set-training = 学習に協力する
privacy-set-unset = この場所に合わせる
privacy-erased = {$n ->
    [0] 削除するものはありませんでした。
   *[other] 記録を{$n}件削除しました。あとから届く分も受け付けません。
}
privacy-exported = あなたについて保存しているものは、これで全部です。
notice-off = 👍 と 👎 はここでの次の選曲に生かすだけで、学習には使いません。/privacy
notice-counts = 👍 と 👎 は曲ごとに数えるだけで、あなたとは結びつけません。/privacy
notice-training = 👍 と 👎 は、モデルの学習のため、写真のタグと一緒に、あなたのIDの鍵付きハッシュのもとに保存されます。断ることもできます：/privacy

# The page of the HTTP interface.
web-title = 写真に合う歌
web-lead = 写真をドロップすると、歌詞の言葉が合う歌とその理由をお見せします。
web-photo = 写真
web-formats = JPEG、PNG、WebP、GIF、BMP、{$mib} MB まで。メモリの中で見るだけで、保存しません。
web-hint = 写真に添えるひとこと
web-hint-example = 雨の夜
web-choices = その他の設定
web-languages = 歌の言語
web-any = 問わない
web-count = 曲数
web-clean = 露骨な表現の歌を除く
web-send = 歌を探す
web-looking = 写真を見ています…
web-unreachable = サーバーから返事がありません。もう一度お試しください。
web-programs = プログラム向け
web-key = API キー
web-wrong-key = 正しい API キーが必要です。
web-no-photo = 先に写真を選んでください。合う歌を探します。
web-answer = 写真に合う歌
web-regions = 見たところと、そこから浮かんだ言葉
web-songs = 合いそうな歌
web-photo-alt = 下に挙げた範囲を番号付きの枠で示したあなたの写真
