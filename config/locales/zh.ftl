# Sentences that people in a chat read: kind, short, plain. The same messages as en.ftl, in the same order.

language-name = 中文

seen = 我看到了{$tags}。这些歌很搭：
seen-photos = {$n ->
   *[other] 给你这 {$n} 张照片配的歌：
}
photo-sees = {$name}：{$tags}
photo-nothing = {$name}：没有我能认准的东西
photo-fault = {$name}：{$reason}
unsure = 我不太确定照片里是什么，这些歌就当我猜的吧。发照片时附上一两个词会更准。
own-words = 你说的话
left-out = {$n ->
   *[other] 还有 {$n} 张照片没看，我一次最多看 {$max} 张。
}
explicit = 含露骨内容
listen = 去听
more-heading = 更多适合这张照片的歌：

button-more = 再来几首
button-why = 为什么？
button-delete = 删除

voted-up = 你喜欢就好！
voted-down = 记下了，少来点这样的。
voted-none = 已撤回。
voted-off = 谢谢！这只会影响接下来在这里推荐的歌，不会用于学习。
deleted = 删掉啦。
why-text = 为什么选这些歌
why-alt = 照片中我留意的地方，以及由此想到的词：{$reasons}
why-gone = 这张照片我手上没有了，也没法再取回来，不过可以用文字说说：{$reasons}

no-photo = 发一张照片给我，或者回复一张照片，我来为它找歌。
not-a-photo = 这个我没法当照片打开。JPEG、PNG、WebP、GIF 和 BMP 都可以。
unknown-format = 这种格式的照片（比如 HEIC）我还看不了，请用 JPEG 发给我。
too-large = 这张照片太大了，{$mib} MB 以内都可以。
damaged = 照片没有传完整，请再发一次。
unreachable = 照片没能下载下来，请再发一次。
hidden-photo = 我在这里看不到那张照片。请用消息菜单：应用 → {$command}。
nothing-fits = 没有符合这些设置的歌。要不要多选几种语言？
busy = 现在照片有点多。{$seconds ->
   *[other] 请过 {$seconds} 秒再试。
}
cooldown = 稍等一下，{$seconds ->
   *[other] {$seconds} 秒后再来吧。
}
switched-off = 我在这个频道里是关闭的。
too-old = 这些歌是很久以前推荐的了。把照片再发一次，我给你找新的。
not-allowed = 只有这里的管理员才能这样做。
not-yours = 只有当初点歌的人才能删除。
internal = 我这边出了点问题，已经记下了（{$id}）。请再试一次。
apology = 我还没来得及回复就重启了。麻烦再发一次照片。

command-suggest-songs = 推荐歌曲
command-songs = 为照片找合适的歌
command-songs-photo = 照片
command-songs-hint = 一两个词，比如：雨夜
command-songs-language = 歌曲的语言
command-songs-mood = 心情，比如：平静
command-settings = 这个服务器或聊天的设置
command-privacy = 保存了你的哪些信息，以及怎么删除
command-about = 关于这个机器人
command-help = 怎么让我推荐歌
help = 私聊发照片给我，或者在照片说明里、回复照片时写 /songs。附上一两个词会更准，比如：下雨，法语歌。
help-group = 在群里我只能看到命令和给我的回复，所以请在照片说明里写 /songs，或者用 /songs 回复照片。
about = 我会看照片，说出里面有什么，再找歌词意境相合的歌。模型在运营者自己的机器上运行，照片不会保留。版本 {$version}。

settings-title = 设置
settings-language = 语言
settings-language-auto = 跟随每个人
settings-songs = 每次推荐几首
settings-explicit = 含露骨内容的歌
settings-here = 在这个频道
settings-here-on = 我会回复
settings-here-off = 我保持安静
settings-automatic = 回复这里的每张照片
settings-person-cooldown = 每人间隔
settings-channel-cooldown = 频道间隔
settings-changers = 谁可以更改设置
settings-changers-managers = 管理员
settings-changers-everybody = 所有人
settings-exploration = 选歌的随机程度
settings-level = 👍 和 👎 会保存什么
on = 开
off = 关
seconds = {$n} 秒
saved = 已保存。

privacy-title = 你的隐私
privacy-photos = 照片只在内存里查看，从不保存；名字和消息也一样。
privacy-level = 你的点按会保存：{$level}。你允许：{$chosen}。这里允许：{$community}。
privacy-records = {$n ->
    [0] 没有保存任何与你有关的内容。
   *[other] 有 {$n} 条记录，以你的 ID 经密钥哈希后的值保存，最多保留 {$days} 天。
}
privacy-discord = 来自 Discord 的点按绝不会用来训练模型，除非 Discord 已允许运营者这样做。
exploration-off = 无
exploration-little = 一点
exploration-some = 适中
exploration-much = 较多
level-off = 什么都不存
level-counts = 每首歌的点赞数，不与你关联
level-training = 点按和照片标签，用于训练
level-unset = 以这里允许的为准
privacy-export = 查看我的数据
privacy-erase = 删除我的数据
privacy-set-off = 什么都不保存
privacy-set-counts = 只计数
privacy-set-training = 帮忙训练
privacy-set-unset = 以这里为准
privacy-erased = {$n ->
    [0] 没有需要删除的内容。
   *[other] 已删除 {$n} 条记录，之后迟到的记录也会被拒收。
}
privacy-exported = 保存的与你有关的内容全在这里了。
notice-off = 👍 和 👎 只会影响接下来在这里推荐的歌，不会用于学习。/privacy
notice-counts = 👍 和 👎 只按歌曲计数，不与你关联。/privacy
notice-training = 👍 和 👎 会连同照片标签一起保存，用于训练模型，只以你的 ID 经密钥哈希后的值标记。你可以拒绝：/privacy

# The page of the HTTP interface.
web-title = 适合你照片的歌
web-lead = 放入一张照片，看看歌词与它相配的歌，以及为什么。
web-photo = 照片
web-formats = JPEG、PNG、WebP、GIF 或 BMP，最大 {$mib} MB。只在内存中查看，不会保存。
web-hint = 给照片配一两个词
web-hint-example = 雨夜
web-choices = 更多选项
web-languages = 歌曲语言
web-any = 不限
web-count = 歌曲数量
web-clean = 不要露骨的歌曲
web-send = 找歌
web-looking = 正在看你的照片…
web-unreachable = 服务器没有回应，请再试一次。
web-programs = 供程序使用
web-key = API 密钥
web-wrong-key = 需要正确的 API 密钥。
web-no-photo = 请先选一张照片，我就为它找歌。
web-answer = 适合你照片的歌
web-regions = 我看了哪里，唤起了哪些词
web-songs = 这些歌很配
web-photo-alt = 你的照片，下面列出的区域用带编号的框标出
